#include "graph/zoo/builder.h"

#include <algorithm>
#include <cmath>

namespace nestling::zoo {

Builder::Builder(const std::string& name, const ZooOptions& options)
    : options_(options), random_(options.seed) {
  graph_.name = name;
  x_ = graph_.add_value("input", {kBatch, options.channels, options.height, options.width});
  graph_.inputs = {x_};
}

int64_t Builder::filters(int64_t count, int64_t of) const {
  const int64_t wanted = std::llround(static_cast<double>(count) * options_.multiplier);
  return (std::max<int64_t>(8, wanted) + of - 1) / of * of;
}

int64_t Builder::stride(int64_t wanted) {
  if (wanted != 2 || halvings_to_leave_out_ == 0) return wanted;
  --halvings_to_leave_out_;
  return 1;
}

bool Builder::small_images() const { return std::min(options_.height, options_.width) < 96; }

ValueId Builder::constant(const std::string& name, Shape shape, double deviation, float mean) {
  Tensor tensor{std::move(shape), {}};
  if (options_.outline) return graph_.add_constant(name, std::move(tensor));
  tensor.data.resize(static_cast<size_t>(element_count(tensor.shape)), mean);
  if (deviation > 0) {
    for (float& w : tensor.data) w = static_cast<float>(random_.normal() * deviation);
  }
  return graph_.add_constant(name, std::move(tensor));
}

void Builder::conv(const std::string& name, const Layer& layer) {
  const int64_t inputs = channels() / layer.groups, kernel = layer.kernel;
  const int64_t pad = layer.padding < 0 ? kernel / 2 : layer.padding;
  const int64_t by = stride(layer.stride);
  const double deviation = std::sqrt(2.0 / static_cast<double>(inputs * kernel * kernel));
  std::vector<ValueId> in{
      x_, constant(name + ".weight", {layer.filters, inputs, kernel, kernel}, deviation)};
  if (layer.bias) in.push_back(constant(name + ".bias", {layer.filters}, 0));
  node(name, Conv{.kernel = {kernel, kernel}, .stride = {by, by}, .padding = {pad, pad, pad, pad}},
       std::move(in));
}

void Builder::batch_norm(const std::string& name) {
  const Shape shape{channels()};
  node(name, BatchNorm{},
       {x_, constant(name + ".scale", shape, 0, 1), constant(name + ".shift", shape, 0),
        constant(name + ".mean", shape, 0), constant(name + ".variance", shape, 0, 1)});
}

void Builder::conv_bn(const std::string& name, const Layer& layer) {
  conv(name, layer);
  batch_norm(name + ".bn");
}

void Builder::conv_bn_relu(const std::string& name, const Layer& layer) {
  conv_bn(name, layer);
  relu(name + ".relu");
}

void Builder::activation(const std::string& name, const Unary& function) {
  node(name, function, {x_});
}

void Builder::silu(const std::string& name) {
  const ValueId x = x_;
  activation(name + ".sigmoid", {Unary::Function::sigmoid});
  node(name, kMul, {x, x_});
}

void Builder::max_pool(const std::string& name, int64_t kernel, int64_t padding, bool ceil) {
  if (stride(2) == 1) return;
  node(name,
       MaxPool{.kernel = {kernel, kernel},
               .stride = {2, 2},
               .padding = {padding, padding, padding, padding},
               .ceil = ceil},
       {x_});
}

void Builder::average_pool(const std::string& name) {
  if (stride(2) == 1) return;
  node(name, AveragePool{.kernel = {2, 2}, .stride = {2, 2}}, {x_});
}

void Builder::concat(const std::string& name, std::vector<ValueId> parts) {
  node(name, Concat{}, std::move(parts));
}

void Builder::fully_connected(const std::string& name, int64_t features) {
  const int64_t inputs = channels();
  const double deviation = std::sqrt(1.0 / static_cast<double>(inputs));
  const ValueId weight = constant(name + ".weight", {features, inputs}, deviation);
  node(name, Gemm{}, {x_, weight, constant(name + ".bias", {features}, 0)});
}

void Builder::node(const std::string& name, const Op& op, std::vector<ValueId> inputs) {
  x_ = add_node(graph_, name, op, std::move(inputs));
}

void Builder::pool_and_flatten() {
  node("pool", global_average_pool(), {x_});
  node("flatten", flatten(), {x_});
}

Graph Builder::finish() {
  fully_connected("head", options_.classes);
  return finish_with_logits();
}

Graph Builder::finish_with_logits() {
  graph_.value(x_).name = "logits";
  graph_.outputs = {x_};
  return std::move(graph_);
}

}  // namespace nestling::zoo
