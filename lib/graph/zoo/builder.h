// What the networks of the zoo are built of: a chain of layers that goes on from its last value.
#pragma once

#include <string>

#include "base/random.h"
#include "graph/graph.h"
#include "graph/zoo.h"

namespace nestling::zoo {

class Builder {
 public:
  Builder(const std::string& name, const ZooOptions& options);

  // The value that the next layer takes, and its channels.
  ValueId x() const { return x_; }
  void go_on_from(ValueId x) { x_ = x; }
  int64_t channels() const { return graph_.value(x_).shape[1]; }

  // `count` times the width that the user asks for, at least 8, a multiple of `of`.
  int64_t filters(int64_t count, int64_t of = 1) const;

  int64_t classes() const { return options_.classes; }

  // Whether the images are below 96 pixels.
  bool small_images() const;
  // For networks made for 224x224: of small images they leave out their first two halvings, each a
  // stride of 2 or a pooling.
  void leave_out_halvings() { halvings_to_leave_out_ = small_images() ? 2 : 0; }

  struct Layer {
    int64_t filters = 0;
    int64_t kernel = 1;
    int64_t stride = 1;
    int64_t groups = 1;
    int64_t padding = -1;  // half the kernel
    bool bias = false;     // for layers without batch norm
  };
  void conv(const std::string& name, const Layer& layer);
  // A convolution without bias, named `name`, and its batch norm.
  void conv_bn(const std::string& name, const Layer& layer);
  void conv_bn_relu(const std::string& name, const Layer& layer);
  void batch_norm(const std::string& name);
  void activation(const std::string& name, const Unary& function);
  void relu(const std::string& name) { activation(name, kRelu); }
  void silu(const std::string& name);  // x sigmoid(x)
  void max_pool(const std::string& name, int64_t kernel, int64_t padding = 0, bool ceil = false);
  void average_pool(const std::string& name);  // 2x2
  void add(const std::string& name, ValueId other) { node(name, kAdd, {x_, other}); }
  void concat(const std::string& name, std::vector<ValueId> parts);
  void fully_connected(const std::string& name, int64_t features);
  void node(const std::string& name, const Op& op, std::vector<ValueId> inputs);

  // Global average pooling and flattening.
  void pool_and_flatten();
  // The classifier "head" behind a flattened value, and the finished network.
  Graph finish();
  // The finished network, whose logits x() already is.
  Graph finish_with_logits();

 private:
  int64_t stride(int64_t wanted);
  ValueId constant(const std::string& name, Shape shape, double deviation, float mean = 0);

  const ZooOptions& options_;
  Random random_;
  Graph graph_;
  ValueId x_;
  int halvings_to_leave_out_ = 0;
};

Graph small(Builder b);
Graph vgg16(Builder b);
Graph resnet18(Builder b);
Graph resnet50(Builder b);
Graph resnet20(Builder b);
Graph resnet56(Builder b);
Graph mobilenet_v1(Builder b);
Graph mobilenet_v2(Builder b);
Graph mobilenet_v3_small(Builder b);
Graph squeezenet1_1(Builder b);
Graph densenet121(Builder b);
Graph shufflenet_v2(Builder b);
Graph efficientnet_b0(Builder b);
Graph googlenet(Builder b);

}  // namespace nestling::zoo
