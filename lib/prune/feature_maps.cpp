#include "prune/feature_maps.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "prune/trr.h"
#include "train/evaluate.h"
#include "train/network.h"
#include "train/torch.h"
#include "train/train.h"

namespace nestling {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 30;

// Some channels of one value, accumulated in one pass over the images.
struct Chunk {
  ValueId value;
  int64_t first;
  int64_t count;
  TripletResidual residual;
};

}  // namespace

std::vector<ValueId> ranked_values(const Graph& graph, const ChannelGroups& groups) {
  const auto rank_of = [](const Op& op) {
    if (std::holds_alternative<Unary>(op)) return 3;
    if (std::holds_alternative<BatchNorm>(op)) return 2;
    if (std::holds_alternative<Conv>(op) || std::holds_alternative<ConvTranspose>(op) ||
        std::holds_alternative<Gemm>(op)) {
      return 1;
    }
    return 0;
  };
  std::vector<int> best(groups.groups.size());
  const auto groups_of = [&](const Node& node) {
    std::set<int32_t> found;
    const auto& axes = groups.labels[static_cast<size_t>(node.output)];
    if (axes.size() < 2) return found;
    for (const ChannelLabel& label : axes[1]) {
      if (label.group < 0 || groups.groups[static_cast<size_t>(label.group)].fixed) continue;
      found.insert(label.group);
    }
    return found;
  };
  for (const Node& node : graph.nodes) {
    for (const int32_t g : groups_of(node)) {
      int& highest = best[static_cast<size_t>(g)];
      highest = std::max(highest, rank_of(node.op));
    }
  }
  std::vector<ValueId> values;
  for (const Node& node : graph.nodes) {
    const std::set<int32_t> found = groups_of(node);
    const bool stands = std::any_of(found.begin(), found.end(), [&](int32_t g) {
      return rank_of(node.op) > 0 && rank_of(node.op) == best[static_cast<size_t>(g)];
    });
    if (stands) values.push_back(node.output);
  }
  return values;
}

ChannelScores mean_magnitudes(const Graph& graph, const std::vector<ValueId>& values,
                              const Dataset& data) {
  ChannelScores means;
  for (const ValueId id : values) means[id].resize(static_cast<size_t>(graph.value(id).shape[1]));
  observe(graph, data, 100, {values.begin(), values.end()},
          [&](std::span<const int64_t>, ValueId id, const Tensor& y) {
            std::vector<double>& of = means[id];
            const auto rows = static_cast<size_t>(y.shape[0] * y.shape[1]);
            const size_t size = y.data.size() / rows;
            for (size_t row = 0; row < rows; ++row) {
              const auto from = y.data.begin() + static_cast<std::ptrdiff_t>(row * size);
              of[row % of.size()] +=
                  std::accumulate(from, from + static_cast<std::ptrdiff_t>(size), 0.0,
                                  [](double sum, float v) { return sum + std::abs(v); });
            }
          });
  for (auto& [id, of] : means) {
    const Shape& shape = graph.value(id).shape;
    const int64_t size = element_count(shape) / shape[1];
    for (double& mean : of) mean /= static_cast<double>(data.size() * std::abs(size));
  }
  return means;
}

ChannelScores first_order_changes(const Graph& graph, const std::vector<ValueId>& values,
                                  const Dataset& data) {
  ChannelScores means;
  for (const ValueId id : values) means[id].resize(static_cast<size_t>(graph.value(id).shape[1]));
  observe_gradients(graph, data, 100, {values.begin(), values.end()},
                    [&](ValueId id, const Tensor& map, const Tensor& gradient) {
                      std::vector<double>& of = means[id];
                      const auto rows = static_cast<size_t>(map.shape[0]) * of.size();
                      const size_t size = map.data.size() / rows;
                      for (size_t row = 0; row < rows; ++row) {
                        double change = 0;
                        for (size_t i = row * size; i < (row + 1) * size; ++i) {
                          change += static_cast<double>(map.data[i]) * gradient.data[i];
                        }
                        of[row % of.size()] += std::abs(change) / static_cast<double>(data.size());
                      }
                    });
  return means;
}

ChannelScores exact_trr(const Graph& graph, const std::vector<ValueId>& values,
                        const Dataset& data) {
  const auto classes = static_cast<int64_t>(data.classes.size());
  ChannelScores residuals;
  std::vector<Chunk> chunks;
  int64_t bytes = 0;
  const auto run = [&] {
    if (chunks.empty()) return;
    const auto add = [&](std::span<const int64_t> batch, ValueId id, const at::Tensor& y) {
      // The channels of an element side by side, as convolutions leave them.
      const at::Tensor maps =
          (y.dim() > 2 ? y.flatten(2) : y.unsqueeze(2)).transpose(1, 2).cpu().contiguous();
      std::vector<int32_t> labels;
      labels.reserve(batch.size());
      for (const int64_t n : batch) labels.push_back(data.labels[static_cast<size_t>(n)]);
      for (Chunk& chunk : chunks) {
        if (chunk.value != id) continue;
        at::parallel_for(0, classes, 1, [&](int64_t first, int64_t end) {
          chunk.residual.add(labels, maps.data_ptr<float>() + chunk.first, maps.stride(0),
                             maps.stride(1), first, end);
        });
      }
    };
    std::set<ValueId> wanted;
    for (const Chunk& chunk : chunks) wanted.insert(chunk.value);
    observe_tensors(graph, data, 250, wanted, add);
    for (const Chunk& chunk : chunks) {
      const std::vector<double> part = chunk.residual.result();
      std::vector<double>& whole = residuals[chunk.value];
      whole.insert(whole.end(), part.begin(), part.end());
    }
    chunks.clear();
    bytes = 0;
  };
  for (const ValueId id : values) {
    const Shape& shape = graph.value(id).shape;
    const int64_t size = element_count(shape) / shape[1];
    const int64_t per_channel = classes * size * static_cast<int64_t>(sizeof(double));
    for (int64_t first = 0; first < shape[1];) {
      if (bytes + per_channel > kMaxBytes) run();
      const int64_t fit = std::max<int64_t>(1, (kMaxBytes - bytes) / per_channel);
      const int64_t count = std::min(fit, shape[1] - first);
      chunks.push_back({id, first, count, TripletResidual(classes, count, size)});
      bytes += count * per_channel;
      first += count;
    }
  }
  run();
  return residuals;
}

ChannelScores sampled_trr(const Graph& graph, const std::vector<ValueId>& values,
                          const Dataset& data, int64_t triplets, uint64_t seed) {
  Random random(seed);
  const auto draw = [&] { return random.below(static_cast<uint64_t>(data.size())); };
  // Anchors, positives and negatives in turn; three images drawn at random that make no triplet are
  // drawn again, so every triplet is as likely as any other.
  std::vector<int64_t> indices;
  constexpr int64_t kMaxDraws = 1000000;
  for (int64_t drawn = 0; static_cast<int64_t>(indices.size()) < 3 * triplets; ++drawn) {
    if (drawn > kMaxDraws + 1000 * triplets) fail("no triplets can be drawn from {}", data.name);
    const uint64_t a = draw(), p = draw(), n = draw();
    if (a == p || data.labels[a] != data.labels[p] || data.labels[a] == data.labels[n]) continue;
    for (const uint64_t i : {a, p, n}) indices.push_back(static_cast<int64_t>(i));
  }
  const std::set<ValueId> wanted(values.begin(), values.end());
  ChannelScores residuals;
  for (const ValueId id : values) {
    residuals[id].resize(static_cast<size_t>(graph.value(id).shape[1]));
  }
  const auto add = [&](std::span<const int64_t> batch, ValueId id, const Tensor& y) {
    const auto channels = static_cast<size_t>(y.shape[1]);
    const size_t size = y.data.size() / (batch.size() * channels);
    for (size_t t = 0; t < batch.size(); t += 3) {
      for (size_t i = 0; i < channels * size; ++i) {
        const double a = y.data[t * channels * size + i];
        const double p = y.data[(t + 1) * channels * size + i];
        const double n = y.data[(t + 2) * channels * size + i];
        residuals[id][i / size] +=
            ((a - n) * (a - n) - (a - p) * (a - p)) / static_cast<double>(triplets);
      }
    }
  };
  observe(graph, data, indices, 3 * 80, wanted, add);
  return residuals;
}

}  // namespace nestling
