#include "train/evaluate.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/random.h"
#include "train/fit.h"
#include "train/network.h"

namespace nestling {
namespace {

at::Tensor images(const Dataset& data, std::span<const int64_t> indices) {
  std::vector<float> batch = normalised(data, indices);
  return at::from_blob(batch.data(), {static_cast<int64_t>(indices.size()), data.channels,
                                      data.height, data.width})
      .clone()
      .to(device());
}

std::vector<int64_t> all_of(const Dataset& data) {
  std::vector<int64_t> all(static_cast<size_t>(data.size()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

void observe_tensors(const Graph& graph, const Dataset& data, std::span<const int64_t> indices,
                     int64_t batch, const std::set<ValueId>& wanted,
                     const TensorObserver& observer) {
  check_images(graph, data);
  const c10::NoGradGuard no_gradient;
  Network network(graph);
  const auto most = static_cast<size_t>(batch);
  for (size_t from = 0; from < indices.size(); from += most) {
    const auto part = indices.subspan(from, std::min(most, indices.size() - from));
    network.forward(images(data, part), Network::Mode::evaluate,
                    [&](ValueId value, const at::Tensor& content) {
                      if (wanted.contains(value)) observer(part, value, content);
                    });
  }
}

void observe_tensors(const Graph& graph, const Dataset& data, int64_t batch,
                     const std::set<ValueId>& wanted, const TensorObserver& observer) {
  observe_tensors(graph, data, all_of(data), batch, wanted, observer);
}

void observe(const Graph& graph, const Dataset& data, std::span<const int64_t> indices,
             int64_t batch, const std::set<ValueId>& wanted, const ValueObserver& observer) {
  observe_tensors(graph, data, indices, batch, wanted,
                  [&](std::span<const int64_t> part, ValueId value, const at::Tensor& content) {
                    observer(part, value, from_torch(content));
                  });
}

void observe(const Graph& graph, const Dataset& data, int64_t batch,
             const std::set<ValueId>& wanted, const ValueObserver& observer) {
  observe(graph, data, all_of(data), batch, wanted, observer);
}

void observe_gradients(const Graph& graph, const Dataset& data, int64_t batch,
                       const std::set<ValueId>& wanted, const GradientObserver& observer) {
  check_fits(graph, data);
  Network network(graph);
  for (int64_t from = 0; from < data.size(); from += batch) {
    std::vector<int64_t> indices(static_cast<size_t>(std::min(batch, data.size() - from)));
    std::iota(indices.begin(), indices.end(), from);
    std::vector<std::pair<ValueId, at::Tensor>> seen;
    const at::Tensor logits =
        network.forward(images(data, indices), Network::Mode::evaluate,
                        [&](ValueId value, const at::Tensor& content) {
                          if (!wanted.contains(value) || !content.requires_grad()) return;
                          content.retain_grad();
                          seen.emplace_back(value, content);
                        });
    at::Tensor labels = at::empty({logits.size(0)}, at::kLong);
    for (size_t n = 0; n < indices.size(); ++n) {
      labels.data_ptr<int64_t>()[n] = data.labels[static_cast<size_t>(indices[n])];
    }
    at::cross_entropy_loss(logits, labels.to(device()), {}, at::Reduction::Sum).backward();
    for (const auto& [value, content] : seen) {
      if (!content.grad().defined()) continue;  // the output does not depend on it
      observer(value, from_torch(content), from_torch(content.grad()));
    }
  }
}

Graph with_statistics_of(const Graph& graph, const Dataset& data, int64_t batch) {
  check_images(graph, data);
  const c10::NoGradGuard no_gradient;
  Network network(graph);
  // Folders hold their images class by class: in that order the statistics would be the last
  // class's.
  std::vector<int64_t> all = all_of(data);
  Random(1).shuffle(all);
  // The last batch of less than half the size is left out: its statistics would count as much.
  const auto step = static_cast<size_t>(batch);
  for (size_t from = 0; from == 0 || from + step / 2 <= all.size(); from += step) {
    const auto part =
        std::span<const int64_t>(all).subspan(from).first(std::min(step, all.size() - from));
    network.forward(images(data, part), Network::Mode::train);
  }
  return network.graph();
}

std::vector<float> outputs(const Graph& graph, const Dataset& data) {
  std::vector<float> result;
  observe(graph, data, 250, {graph.outputs.at(0)},
          [&](std::span<const int64_t>, ValueId, const Tensor& y) {
            result.insert(result.end(), y.data.begin(), y.data.end());
          });
  return result;
}

double accuracy(const Graph& graph, const Dataset& data) {
  check_fits(graph, data);
  const std::vector<float> logits = outputs(graph, data);
  const size_t classes = data.classes.size();
  int64_t right = 0;
  for (size_t n = 0; n < data.labels.size(); ++n) {
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(n * classes);
    const auto highest = std::max_element(row, row + static_cast<std::ptrdiff_t>(classes));
    right += highest - row == data.labels[n];
  }
  return static_cast<double>(right) / static_cast<double>(data.size());
}

}  // namespace nestling
