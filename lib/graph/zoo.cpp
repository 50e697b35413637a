#include "graph/zoo.h"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/random.h"

namespace nestling {
namespace {

class Builder {
 public:
  Builder(const std::string& name, const ZooOptions& options)
      : options_(options), random_(options.seed) {
    graph_.name = name;
    x_ = graph_.add_value("input", {kBatch, options.channels, options.height, options.width});
    graph_.inputs = {x_};
  }

  ValueId x() const { return x_; }
  void go_on_from(ValueId x) { x_ = x; }
  int64_t filters(int64_t count) const {
    return std::max<int64_t>(8, std::llround(static_cast<double>(count) * options_.multiplier));
  }
  int64_t channels() const { return graph_.value(x_).shape[1]; }

  void conv_bn(const std::string& name, int64_t filters, int64_t kernel, int64_t stride = 1) {
    const int64_t inputs = channels(), pad = kernel / 2;
    Tensor weight{{filters, inputs, kernel, kernel}, {}};
    const double deviation = std::sqrt(2.0 / static_cast<double>(inputs * kernel * kernel));
    weight.data.resize(static_cast<size_t>(element_count(weight.shape)));
    for (float& w : weight.data) w = static_cast<float>(random_.normal() * deviation);
    const Conv conv{
        .kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = {pad, pad, pad, pad}};
    x_ = add_node(graph_, name, conv,
                  {x_, graph_.add_constant(name + ".weight", std::move(weight))});
    const auto constant = [&](const char* part, float value) {
      const auto count = static_cast<size_t>(filters);
      return graph_.add_constant(name + part, {{filters}, std::vector<float>(count, value)});
    };
    x_ = add_node(graph_, name + ".bn", BatchNorm{},
                  {x_, constant(".bn.scale", 1), constant(".bn.shift", 0), constant(".bn.mean", 0),
                   constant(".bn.variance", 1)});
  }
  void relu(const std::string& name) { x_ = add_node(graph_, name, kRelu, {x_}); }
  void conv_bn_relu(const std::string& name, int64_t filters, int64_t kernel = 3,
                    int64_t stride = 1) {
    conv_bn(name, filters, kernel, stride);
    relu(name + ".relu");
  }
  void pool(const std::string& name) {
    x_ = add_node(graph_, name, MaxPool{.kernel = {2, 2}, .stride = {2, 2}}, {x_});
  }
  void add(const std::string& name, ValueId other) {
    x_ = add_node(graph_, name, kAdd, {x_, other});
  }
  Graph finish() {
    x_ = add_node(graph_, "pool", global_average_pool(), {x_});
    x_ = add_node(graph_, "flatten", flatten(), {x_});
    Tensor weight{{options_.classes, channels()}, {}};
    const double deviation = std::sqrt(1.0 / static_cast<double>(channels()));
    weight.data.resize(static_cast<size_t>(element_count(weight.shape)));
    for (float& w : weight.data) w = static_cast<float>(random_.normal() * deviation);
    Tensor bias{{options_.classes}, std::vector<float>(static_cast<size_t>(options_.classes))};
    x_ = add_node(graph_, "head", Gemm{},
                  {x_, graph_.add_constant("head.weight", std::move(weight)),
                   graph_.add_constant("head.bias", std::move(bias))});
    graph_.value(x_).name = "logits";
    graph_.outputs = {x_};
    return std::move(graph_);
  }

 private:
  const ZooOptions& options_;
  Random random_;
  Graph graph_;
  ValueId x_;
};

Graph small(Builder b) {
  b.conv_bn_relu("conv1", b.filters(16));
  b.pool("pool1");
  b.conv_bn_relu("conv2", b.filters(32));
  b.conv_bn_relu("conv3", b.filters(32));
  b.pool("pool2");
  b.conv_bn_relu("conv4", b.filters(64));
  b.conv_bn_relu("conv5", b.filters(64));
  return b.finish();
}

Graph vgg16(Builder b) {
  int layer = 0, stage = 0;
  for (const auto& [convolutions, filters] :
       {std::pair{2, 64}, std::pair{2, 128}, std::pair{3, 256}, std::pair{3, 512},
        std::pair{3, 512}}) {
    if (stage > 0) b.pool(fmt::format("pool{}", stage));
    ++stage;
    for (int i = 0; i < convolutions; ++i) {
      b.conv_bn_relu(fmt::format("conv{}", ++layer), b.filters(filters));
    }
  }
  return b.finish();
}

Graph resnet20(Builder b) {
  b.conv_bn_relu("conv1", b.filters(16));
  for (int stage = 1; stage <= 3; ++stage) {
    for (int block = 1; block <= 3; ++block) {
      const std::string name = fmt::format("stage{}.block{}", stage, block);
      const int64_t filters = b.filters(int64_t{8} << stage);
      const int64_t stride = stage > 1 && block == 1 ? 2 : 1;
      const ValueId input = b.x();
      ValueId shortcut = input;
      if (stride != 1) {
        b.conv_bn(name + ".projection", filters, 1, stride);
        shortcut = b.x();
        b.go_on_from(input);
      }
      b.conv_bn_relu(name + ".conv1", filters, 3, stride);
      b.conv_bn(name + ".conv2", filters, 3);
      b.add(name + ".add", shortcut);
      b.relu(name + ".relu");
    }
  }
  return b.finish();
}

}  // namespace

std::vector<std::string> zoo_names() { return {"small", "vgg16", "resnet20"}; }

Graph make_model(const std::string& name, const ZooOptions& options) {
  const Builder builder(name, options);
  if (name == "small") return small(builder);
  if (name == "vgg16") return vgg16(builder);
  if (name == "resnet20") return resnet20(builder);
  fail("there is no architecture {}; there are: {}", name, fmt::join(zoo_names(), ", "));
}

}  // namespace nestling
