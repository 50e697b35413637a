#include "train/agreement.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/cosine.h"
#include "base/error.h"
#include "train/evaluate.h"
#include "train/train.h"

namespace nestling {
namespace {

bool has_classes(const Graph& graph) {
  if (graph.outputs.size() != 1) return false;
  const Shape& out = graph.value(graph.outputs[0]).shape;
  return out.size() == 2 && out[0] == kBatch && out[1] > 1;
}

// The index of each row's highest number.
std::vector<int64_t> highest(const std::vector<float>& outputs, int64_t rows) {
  const auto width = static_cast<std::ptrdiff_t>(outputs.size()) / rows;
  std::vector<int64_t> result;
  for (auto row = outputs.begin(); row != outputs.end(); row += width) {
    result.push_back(std::max_element(row, row + width) - row);
  }
  return result;
}

// The outputs of some images, each [images, ...].
std::vector<std::vector<float>> outputs_of(const Graph& graph, const Dataset& data,
                                           std::span<const int64_t> indices) {
  std::vector<std::vector<float>> result(graph.outputs.size());
  observe(graph, data, indices, std::ssize(indices), {graph.outputs.begin(), graph.outputs.end()},
          [&](std::span<const int64_t>, ValueId value, const Tensor& y) {
            for (size_t i = 0; i < graph.outputs.size(); ++i) {
              if (graph.outputs[i] == value) result[i] = y.data;
            }
          });
  return result;
}

// Shows compare(images, found, wanted) what both networks make of the images, an output and a batch
// at a time.
template <typename Compare>
void compare_outputs(const Graph& graph, const Graph& other, const Dataset& data,
                     const Compare& compare) {
  constexpr int64_t kBatchImages = 32;
  if (graph.outputs.size() != other.outputs.size()) fail("the outputs to compare differ in number");
  std::vector<int64_t> batch;
  for (int64_t from = 0; from < data.size(); from += kBatchImages) {
    batch.resize(static_cast<size_t>(std::min(kBatchImages, data.size() - from)));
    std::iota(batch.begin(), batch.end(), from);
    const auto found = outputs_of(graph, data, batch), wanted = outputs_of(other, data, batch);
    for (size_t i = 0; i < found.size(); ++i) {
      if (found[i].size() != wanted[i].size()) fail("the outputs to compare differ in shape");
      compare(i, batch.size(), found[i], wanted[i]);
    }
  }
}

double mean_cosine(const Graph& graph, const Graph& other, const Dataset& data) {
  double sum = 0;
  compare_outputs(
      graph, other, data,
      [&](size_t, size_t images, std::span<const float> found, std::span<const float> wanted) {
        const size_t each = found.size() / images;
        for (size_t n = 0; n < images; ++n) {
          sum += cosine(found.subspan(n * each, each), wanted.subspan(n * each, each));
        }
      });
  return sum / static_cast<double>(data.size()) / static_cast<double>(graph.outputs.size());
}

}  // namespace

std::string default_agreement(const Graph& graph) {
  return has_classes(graph) ? "top-1" : "cosine";
}

double agreement(const Graph& graph, const Graph& other, const Dataset& data,
                 const std::string& measure) {
  if (measure == "cosine") return mean_cosine(graph, other, data);
  if (measure != "top-1") fail("there is no agreement {}; there are: top-1, cosine", measure);
  for (const Graph* one : {&graph, &other}) {
    if (!has_classes(*one)) fail("{} has no single output [N, classes] for top-1", one->name);
  }
  const std::vector<int64_t> found = highest(outputs(graph, data), data.size());
  const std::vector<int64_t> wanted = highest(outputs(other, data), data.size());
  int64_t same = 0;
  for (size_t n = 0; n < found.size(); ++n) same += found[n] == wanted[n];
  return static_cast<double>(same) / static_cast<double>(data.size());
}

double difference(const Graph& graph, const Graph& other, const Dataset& data) {
  std::vector<double> changed(graph.outputs.size()), all(graph.outputs.size());
  compare_outputs(
      graph, other, data,
      [&](size_t output, size_t, std::span<const float> found, std::span<const float> wanted) {
        for (size_t i = 0; i < found.size(); ++i) {
          const double apart = double{found[i]} - wanted[i];
          changed[output] += apart * apart;
          all[output] += double{wanted[i]} * wanted[i];
        }
      });
  double sum = 0;
  for (size_t i = 0; i < all.size(); ++i) sum += changed[i] / std::max(all[i], 1e-30);
  return sum;
}

Dataset labelled_by(const Graph& graph, const Dataset& data) {
  if (!has_classes(graph)) {
    fail("{} has no single output [N, classes], whose classes could stand for labels", graph.name);
  }
  Dataset result = data;
  const std::vector<int64_t> classes = highest(outputs(graph, data), data.size());
  std::map<int64_t, int32_t> labels;  // of the classes that occur
  for (const int64_t c : classes) labels.emplace(c, 0);
  for (auto& [c, label] : labels) {
    label = static_cast<int32_t>(result.classes.size());
    result.classes.push_back(std::to_string(c));
  }
  for (size_t n = 0; n < classes.size(); ++n) result.labels[n] = labels[classes[n]];
  return result;
}

}  // namespace nestling
