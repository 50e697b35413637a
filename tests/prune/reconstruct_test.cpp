#include "prune/reconstruct.h"

#include <cmath>
#include <numeric>

#include "support/bars.h"
#include "support/catch.h"

#include "graph/surgery.h"
#include "graph/zoo.h"
#include "train/evaluate.h"
#include "train/train.h"

using nestling::Graph;
using nestling::Tensor;

namespace {

struct Fixture {
  nestling::Dataset images = test::bars(40);
  Graph whole =
      nestling::make_model("small", {.classes = 4, .channels = 1, .height = 8, .width = 8});
  nestling::ChannelGroups groups = nestling::find_groups(whole);

  // Without the channels of `group` from `width` on.
  nestling::KeptChannels first(const std::string& group, int64_t width) const {
    std::vector<int64_t> channels(static_cast<size_t>(width));
    std::iota(channels.begin(), channels.end(), 0);
    return {{groups.find(group), channels}};
  }
};

const Tensor& constant(const Graph& graph, const std::string& name) {
  return graph.constant(nestling::find_value(graph, name));
}

// Solves A x = b in place, by elimination with pivots.
std::vector<double> solved(std::vector<std::vector<double>> a, std::vector<double> b) {
  const size_t n = b.size();
  for (size_t i = 0; i < n; ++i) {
    size_t pivot = i;
    for (size_t r = i + 1; r < n; ++r) {
      if (std::abs(a[r][i]) > std::abs(a[pivot][i])) pivot = r;
    }
    std::swap(a[i], a[pivot]);
    std::swap(b[i], b[pivot]);
    for (size_t r = i + 1; r < n; ++r) {
      const double factor = a[r][i] / a[i][i];
      for (size_t c = i; c < n; ++c) a[r][c] -= factor * a[i][c];
      b[r] -= factor * b[i];
    }
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t c = i + 1; c < n; ++c) b[i] -= a[i][c] * b[c];
    b[i] /= a[i][i];
  }
  return b;
}

}  // namespace

TEST_CASE("reconstruction is the ridge regression that it says") {
  // The head: its inputs are the means of conv5's maps, so each image is a row.
  const Fixture fixture;
  constexpr size_t kKept = 9;
  const Graph cut = nestling::reconstructed(fixture.whole, fixture.groups,
                                            fixture.first("conv5", kKept), fixture.images, 1);
  const nestling::NodeId head = nestling::producer(fixture.whole, fixture.whole.outputs[0]);
  const nestling::Node& node = fixture.whole.nodes[static_cast<size_t>(head)];
  const Tensor& weight = fixture.whole.constant(node.inputs[1]);
  const Tensor& bias = fixture.whole.constant(node.inputs[2]);
  const auto classes = static_cast<size_t>(weight.shape[0]);
  const auto width = static_cast<size_t>(weight.shape[1]);
  std::vector<std::vector<double>> rows;
  nestling::observe(fixture.whole, fixture.images, 8, {node.inputs[0]},
                    [&](std::span<const int64_t>, nestling::ValueId, const Tensor& x) {
                      for (size_t at = 0; at < x.data.size(); at += width) {
                        rows.emplace_back(x.data.begin() + static_cast<std::ptrdiff_t>(at),
                                          x.data.begin() + static_cast<std::ptrdiff_t>(at + width));
                      }
                    });
  REQUIRE(rows.size() == 40);
  for (size_t c = 0; c < classes; ++c) {
    const auto w = [&](size_t i) { return static_cast<double>(weight.data[c * width + i]); };
    std::vector<double> mean(kKept), lost;
    double lost_mean = 0;
    for (const auto& row : rows) {
      double sum = 0;
      for (size_t i = kKept; i < width; ++i) sum += row[i] * w(i);
      lost.push_back(sum);
      lost_mean += sum / 40;
      for (size_t i = 0; i < kKept; ++i) mean[i] += row[i] / 40;
    }
    std::vector<std::vector<double>> products(kKept, std::vector<double>(kKept));
    std::vector<double> targets(kKept);
    double trace = 0;
    for (size_t r = 0; r < rows.size(); ++r) {
      for (size_t i = 0; i < kKept; ++i) {
        for (size_t j = 0; j < kKept; ++j) {
          products[i][j] += (rows[r][i] - mean[i]) * (rows[r][j] - mean[j]);
        }
        targets[i] += (rows[r][i] - mean[i]) * (lost[r] - lost_mean);
      }
    }
    for (size_t i = 0; i < kKept; ++i) trace += products[i][i];
    for (size_t i = 0; i < kKept; ++i) products[i][i] += 1e-3 * trace / kKept;
    const std::vector<double> change = solved(products, targets);
    double shift = lost_mean;
    for (size_t i = 0; i < kKept; ++i) {
      CHECK(constant(cut, fixture.whole.value(node.inputs[1]).name).data[c * kKept + i] ==
            Approx(w(i) + change[i]).epsilon(1e-3).margin(1e-4));
      shift -= change[i] * mean[i];
    }
    CHECK(constant(cut, fixture.whole.value(node.inputs[2]).name).data[c] ==
          Approx(static_cast<double>(bias.data[c]) + shift).epsilon(1e-3).margin(1e-4));
  }
}

TEST_CASE("what the kept channels can say, the next layer hears from them") {
  // The last filters of conv3 are copies of the first: without them nothing is lost.
  Fixture fixture;
  Graph& whole = fixture.whole;
  Tensor& weight = whole.constant(nestling::find_value(whole, "conv3.weight"));
  const size_t half = weight.data.size() / 2;
  std::copy_n(weight.data.begin(), half, weight.data.begin() + static_cast<std::ptrdiff_t>(half));
  const nestling::KeptChannels kept = fixture.first("conv3", weight.shape[0] / 2);
  for (int pass = 0; pass < 100; ++pass) {
    whole = nestling::with_statistics_of(whole, fixture.images, 40);
  }
  const auto distance = [&](const Graph& graph) {
    const auto expected = nestling::outputs(whole, fixture.images),
               got = nestling::outputs(graph, fixture.images);
    double sum = 0, of = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      sum += std::pow(got[i] - expected[i], 2);
      of += std::pow(expected[i], 2);
    }
    return std::sqrt(sum / of);
  };
  const double before = distance(nestling::with_statistics_of(
      nestling::keep(whole, fixture.groups, kept), fixture.images, 50));
  const double after =
      distance(nestling::reconstructed(whole, fixture.groups, kept, fixture.images, 1));
  INFO(before << " before, " << after << " after");
  CHECK(after < 0.1);
  CHECK(after < before / 5);
}
