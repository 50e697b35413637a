#include "graph/interpreter.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace nestling {
namespace {

// Runs one node; the operators are the formulas of
// https://github.com/onnx/onnx/blob/main/docs/Operators.md.
struct Step {
  const std::vector<Tensor>& values;
  const Node& node;
  Tensor& y;  // its shape is set, its data zero

  const Tensor& input(size_t i) const { return values[static_cast<size_t>(node.inputs[i])]; }

  template <typename F>
  void each(const F& f) const {
    const Tensor& x = input(0);
    for (size_t i = 0; i < y.data.size(); ++i) y.data[i] = f(x.data[i]);
  }

  void operator()(const Conv& op) const {
    const Tensor& x = input(0);
    const Tensor& w = input(1);
    const int64_t channels = x.shape[1], height = x.shape[2], width = x.shape[3];
    const int64_t filters = w.shape[0], per_group = w.shape[1];
    size_t at = 0;
    for (int64_t n = 0; n < y.shape[0]; ++n) {
      for (int64_t m = 0; m < filters; ++m) {
        const int64_t first = m / (filters / op.groups) * per_group;
        for (int64_t i = 0; i < y.shape[2]; ++i) {
          for (int64_t j = 0; j < y.shape[3]; ++j, ++at) {
            float sum = 0;
            for (int64_t c = 0; c < per_group; ++c) {
              for (int64_t u = 0; u < op.kernel[0]; ++u) {
                const int64_t row = i * op.stride[0] + u * op.dilation[0] - op.padding[0];
                if (row < 0 || row >= height) continue;
                for (int64_t v = 0; v < op.kernel[1]; ++v) {
                  const int64_t column = j * op.stride[1] + v * op.dilation[1] - op.padding[1];
                  if (column < 0 || column >= width) continue;
                  const auto from = ((n * channels + first + c) * height + row) * width + column;
                  const auto tap = ((m * per_group + c) * op.kernel[0] + u) * op.kernel[1] + v;
                  sum += x.data[static_cast<size_t>(from)] * w.data[static_cast<size_t>(tap)];
                }
              }
            }
            if (node.inputs.size() > 2) sum += input(2).data[static_cast<size_t>(m)];
            y.data[at] = sum;
          }
        }
      }
    }
  }
  void operator()(const BatchNorm& op) const {
    const Tensor& x = input(0);
    const auto channels = static_cast<size_t>(x.shape[1]);
    const size_t area = x.data.size() / (static_cast<size_t>(x.shape[0]) * channels);
    for (size_t i = 0; i < x.data.size(); ++i) {
      const size_t c = i / area % channels;
      const float scale = input(1).data[c] / std::sqrt(input(4).data[c] + op.epsilon);
      y.data[i] = (x.data[i] - input(3).data[c]) * scale + input(2).data[c];
    }
  }
  void operator()(const Relu&) const {
    each([](float v) { return std::max(v, 0.0F); });
  }
  void operator()(const Clip& op) const {
    each([&](float v) { return std::min(std::max(v, op.min), op.max); });
  }
  void operator()(const Add&) const {
    for (size_t i = 0; i < y.data.size(); ++i) y.data[i] = input(0).data[i] + input(1).data[i];
  }
  void operator()(const Concat&) const {
    const auto batch = static_cast<size_t>(y.shape[0]);
    auto out = y.data.begin();
    for (size_t n = 0; n < batch; ++n) {
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        const size_t size = input(k).data.size() / batch;
        const auto from = input(k).data.begin() + static_cast<std::ptrdiff_t>(n * size);
        out = std::copy(from, from + static_cast<std::ptrdiff_t>(size), out);
      }
    }
  }
  // Calls window(y's index, the values of x in the window) for each output of a pooling.
  template <typename Pool, typename F>
  void pool(const Pool& op, const F& reduce) const {
    const Tensor& x = input(0);
    const int64_t height = x.shape[2], width = x.shape[3];
    std::vector<float> window;
    size_t at = 0;
    for (int64_t plane = 0; plane < x.shape[0] * x.shape[1]; ++plane) {
      for (int64_t i = 0; i < y.shape[2]; ++i) {
        for (int64_t j = 0; j < y.shape[3]; ++j, ++at) {
          window.clear();
          for (int64_t u = 0; u < op.kernel[0]; ++u) {
            const int64_t row = i * op.stride[0] + u - op.padding[0];
            for (int64_t v = 0; v < op.kernel[1]; ++v) {
              const int64_t column = j * op.stride[1] + v - op.padding[1];
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              window.push_back(
                  x.data[static_cast<size_t>((plane * height + row) * width + column)]);
            }
          }
          y.data[at] = reduce(window);
        }
      }
    }
  }
  static float sum_of(const std::vector<float>& window) {
    float sum = 0;
    for (const float v : window) sum += v;
    return sum;
  }
  void operator()(const MaxPool& op) const {
    pool(op, [](const std::vector<float>& window) {
      return *std::max_element(window.begin(), window.end());
    });
  }
  void operator()(const AveragePool& op) const {
    const auto area = static_cast<float>(op.kernel[0] * op.kernel[1]);
    pool(op, [&](const std::vector<float>& window) {
      return sum_of(window) / (op.count_padding ? area : static_cast<float>(window.size()));
    });
  }
  void operator()(const GlobalAveragePool&) const {
    const Tensor& x = input(0);
    pool(AveragePool{.kernel = {x.shape[2], x.shape[3]}}, [](const std::vector<float>& window) {
      return sum_of(window) / static_cast<float>(window.size());
    });
  }
  void operator()(const Flatten&) const { y.data = input(0).data; }
  void operator()(const Gemm&) const {
    const Tensor& x = input(0);
    const Tensor& w = input(1);
    const auto outs = static_cast<size_t>(w.shape[0]);
    const auto ins = static_cast<size_t>(w.shape[1]);
    for (size_t i = 0; i < y.data.size(); ++i) {
      const size_t n = i / outs, m = i % outs;
      float sum = 0;
      for (size_t k = 0; k < ins; ++k) sum += x.data[n * ins + k] * w.data[m * ins + k];
      if (node.inputs.size() > 2) sum += input(2).data[m];
      y.data[i] = sum;
    }
  }
  void operator()(const Softmax&) const {
    const auto classes = static_cast<std::ptrdiff_t>(y.shape[1]);
    y.data = input(0).data;
    for (auto row = y.data.begin(); row != y.data.end(); row += classes) {
      const float highest = *std::max_element(row, row + classes);
      float sum = 0;
      for (auto v = row; v != row + classes; ++v) sum += * v = std::exp(*v - highest);
      for (auto v = row; v != row + classes; ++v) *v /= sum;
    }
  }
};

}  // namespace

std::vector<Tensor> interpret_all(const Graph& graph, const Tensor& input) {
  if (graph.inputs.size() != 1)
    fail("{} has {} inputs; one is expected", graph.name, graph.inputs.size());
  Shape expected = graph.value(graph.inputs[0]).shape;
  if (!expected.empty() && expected[0] == kBatch && !input.shape.empty()) {
    expected[0] = input.shape[0];
  }
  if (input.shape != expected ||
      input.data.size() != static_cast<size_t>(element_count(input.shape))) {
    fail("the input does not have the shape that {} expects", graph.name);
  }
  std::vector<Tensor> values(graph.values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (graph.values[i].constant) values[i] = *graph.values[i].constant;
  }
  values[static_cast<size_t>(graph.inputs[0])] = input;
  for (const Node& node : graph.nodes) {
    Tensor& y = values[static_cast<size_t>(node.output)];
    y.shape = graph.value(node.output).shape;
    y.shape[0] = input.shape[0];
    y.data.assign(static_cast<size_t>(element_count(y.shape)), 0.0F);
    std::visit(Step{values, node, y}, node.op);
  }
  return values;
}

std::vector<Tensor> interpret(const Graph& graph, const Tensor& input) {
  std::vector<Tensor> values = interpret_all(graph, input);
  std::vector<Tensor> outputs;
  for (const ValueId id : graph.outputs) outputs.push_back(values[static_cast<size_t>(id)]);
  return outputs;
}

}  // namespace nestling
