#include "package/ncnn.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <set>

#include "base/error.h"
#include "package/float16_weights.h"

namespace nestling {
namespace {

// A float is told from an integer by its form, and read from at most 15 characters.
std::string real(float value) {
  constexpr float kMost = 3.402823e+38F;  // there is no infinity
  return fmt::format("{:.8e}", std::clamp(value, -kMost, kMost));
}

// Builds both files layer by layer.
class Writer {
 public:
  Writer(const Graph& graph, bool half)
      : graph_(graph), half_(half), uses_(graph.values.size(), 0), taken_(graph.values.size(), 0) {
    for (const Node& node : graph.nodes) {
      for (const ValueId input : node.inputs) {
        if (!graph.value(input).constant) ++uses_[static_cast<size_t>(input)];
      }
    }
    for (const ValueId output : graph.outputs) ++uses_[static_cast<size_t>(output)];
    for (const Value& value : graph.values) names_.push_back(unique_name(value.name));
  }

  NcnnModel build() {
    for (const ValueId input : graph_.inputs) {
      layer("Input", name(input), {}, name(input), input_size(graph_.value(input).shape));
      split(input);
    }
    for (const Node& node : graph_.nodes) {
      node_ = &node;
      if (!fused_.contains(&node)) std::visit([&](const auto& op) { write(op); }, node.op);
      split(node.output);
    }
    constexpr int kMagic = 7767517;
    return {fmt::format("{}\n{} {}\n{}", kMagic, layers_, blobs_, param_), bin_};
  }

 private:
  [[noreturn]] void refuse(const std::string& reason) const {
    fail("the node \"{}\" ({}) cannot be written for ncnn: {}", node_->name, op_name(node_->op),
         reason);
  }

  // Blobs are separated by spaces.
  std::string unique_name(const std::string& text) {
    std::string name = text;
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c == '='; }, '_');
    while (name.empty() || !seen_.insert(name).second) name += "_";
    return name;
  }
  const std::string& name(ValueId value) const { return names_[static_cast<size_t>(value)]; }

  void layer(const std::string& type, const std::string& name,
             const std::vector<std::string>& inputs, const std::string& output,
             const std::string& parameters) {
    param_ += fmt::format("{:<24} {:<24} {} 1", type, name, inputs.size());
    for (const std::string& input : inputs) param_ += " " + input;
    param_ += fmt::format(" {}{}{}\n", output, parameters.empty() ? "" : " ", parameters);
    ++layers_;
    ++blobs_;
  }
  // The layer of the node, of its activations among the inputs.
  void layer(const std::string& type, const std::string& parameters) {
    std::vector<std::string> inputs;
    for (const ValueId input : node_->inputs) {
      if (!graph_.value(input).constant) inputs.push_back(take(input));
    }
    layer(type, name(node_->output), inputs, name(node_->output), parameters);
  }

  // A blob has one consumer: others get copies.
  void split(ValueId value) {
    const int uses = uses_[static_cast<size_t>(value)];
    if (uses < 2) return;
    param_ +=
        fmt::format("{:<24} {:<24} 1 {} {}", "Split", name(value) + "_split", uses, name(value));
    for (int i = 0; i < uses; ++i) param_ += fmt::format(" {}_split_{}", name(value), i);
    param_ += "\n";
    ++layers_;
    blobs_ += uses;
  }
  std::string take(ValueId value) {
    const auto at = static_cast<size_t>(value);
    return uses_[at] < 2 ? name(value) : fmt::format("{}_split_{}", name(value), taken_[at]++);
  }

  static std::string input_size(const Shape& shape) {
    if (shape.size() == 4) return fmt::format("0={} 1={} 2={}", shape[3], shape[2], shape[1]);
    if (shape.size() == 3) return fmt::format("0={} 1={}", shape[2], shape[1]);
    return fmt::format("0={}", shape.back());
  }

  void put(const std::vector<float>& numbers) {
    bin_.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
  }
  // Weights with a word before them that says their type.
  void put_weights(const std::vector<float>& weights) {
    constexpr uint32_t kFloat = 0, kHalf = 0x01306B47;
    const uint32_t tag = half_ ? kHalf : kFloat;
    bin_.append(reinterpret_cast<const char*>(&tag), sizeof tag);
    if (!half_) return put(weights);
    const auto halves = float16_weights(weights, node_->name);
    bin_.append(reinterpret_cast<const char*>(halves.data()), halves.size() * sizeof halves[0]);
    bin_.resize((bin_.size() + 3) / 4 * 4);
  }

  const Shape& shape_of(size_t input) const { return graph_.value(node_->inputs[input]).shape; }
  const Tensor* constant(size_t input) const {
    const Value& value = graph_.value(node_->inputs[input]);
    return value.constant ? &*value.constant : nullptr;
  }
  const Tensor& weight(size_t input) const {
    if (constant(input) == nullptr) refuse("its weights are computed");
    return *constant(input);
  }

  // Everything that has no overload.
  template <typename Op>
  void write(const Op&) const {
    refuse("there is no layer like it, or it was not thought of");
  }

  static std::string window(const Extent& kernel, const Extent& stride) {
    return fmt::format("1={} 11={} 3={} 13={}", kernel[1], kernel[0], stride[1], stride[0]);
  }

  // An activation as a parameter of layers with weights; empty if it cannot be one.
  static std::string as_parameter(const Unary& op) {
    using F = Unary::Function;
    switch (op.function) {
      case F::relu:
        return " 9=1";
      case F::leaky_relu:
        return fmt::format(" 9=2 -23310=1,{}", real(op.alpha));
      case F::clip:
        return fmt::format(" 9=3 -23310=2,{},{}", real(op.alpha), real(op.beta));
      case F::sigmoid:
        return " 9=4";
      case F::hard_swish:
        return fmt::format(" 9=6 -23310=2,{},{}", real(1.0F / 6), real(0.5F));
      default:
        return "";
    }
  }

  // If it is the only one.
  const Node* consumer(ValueId value) const {
    if (uses_[static_cast<size_t>(value)] != 1) return nullptr;
    for (const Node& node : graph_.nodes) {
      if (std::count(node.inputs.begin(), node.inputs.end(), value) > 0) return &node;
    }
    return nullptr;  // an output of the network
  }

  // Inputs: x, weights and perhaps a bias. The activation that alone sees the result goes with it.
  void weighted(const std::string& type, const std::string& parameters) {
    weighted(type, parameters, weight(1).data);
  }
  void weighted(const std::string& type, const std::string& parameters,
                const std::vector<float>& weights) {
    const Node* next = consumer(node_->output);
    const auto* op = next == nullptr ? nullptr : std::get_if<Unary>(&next->op);
    const std::string activation = op == nullptr ? "" : as_parameter(*op);
    ValueId output = node_->output;
    if (!activation.empty()) {
      fused_.insert(next);
      output = next->output;
    }
    layer(type, name(node_->output), {take(node_->inputs[0])}, name(output),
          parameters + activation);
    put_weights(weights);
    if (node_->inputs.size() > 2) put(weight(2).data);
  }

  void write(const Conv& op) {
    const Shape& weights = weight(1).shape;
    const int64_t groups = Conv::groups(shape_of(0), weights);
    const Padding& p = op.padding;
    std::string text =
        fmt::format("0={} {} 2={} 12={} 4={} 14={} 15={} 16={} 5={} 6={}", weights[0],
                    window(op.kernel, op.stride), op.dilation[1], op.dilation[0], p[1], p[0], p[3],
                    p[2], node_->inputs.size() > 2 ? 1 : 0, weight(1).data.size());
    if (groups > 1) text += fmt::format(" 7={}", groups);
    weighted(groups > 1 ? "ConvolutionDepthWise" : "Convolution", text);
  }

  void write(const ConvTranspose& op) {
    const Tensor& w = weight(1);
    const int64_t inputs = w.shape[0] / op.groups, outputs = w.shape[1];
    const Padding& p = op.padding;
    std::string text =
        fmt::format("0={} {} 2={} 12={} 4={} 14={} 15={} 16={} 18={} 19={} 5={} 6={}",
                    outputs * op.groups, window(op.kernel, op.stride), op.dilation[1],
                    op.dilation[0], p[1], p[0], p[3], p[2], op.output_padding[1],
                    op.output_padding[0], node_->inputs.size() > 2 ? 1 : 0, w.data.size());
    if (op.groups > 1) text += fmt::format(" 7={}", op.groups);
    // By outputs, and for each of these by inputs.
    std::vector<float> turned;
    turned.reserve(w.data.size());
    const int64_t area = op.kernel[0] * op.kernel[1];
    for (int64_t m = 0; m < outputs * op.groups; ++m) {
      for (int64_t c = 0; c < inputs; ++c) {
        const auto* from =
            w.data.data() + ((m / outputs * inputs + c) * outputs + m % outputs) * area;
        turned.insert(turned.end(), from, from + area);
      }
    }
    weighted(op.groups > 1 ? "DeconvolutionDepthWise" : "Deconvolution", text, turned);
  }

  void write(const Gemm&) {
    weighted("InnerProduct", fmt::format("0={} 1={} 2={}", weight(1).shape[0],
                                         node_->inputs.size() > 2 ? 1 : 0, weight(1).data.size()));
  }

  void write(const BatchNorm& op) {
    layer("BatchNorm", fmt::format("0={} 1={}", weight(1).data.size(), real(op.epsilon)));
    for (const size_t input : {1, 3, 4, 2}) put(weight(input).data);
  }

  void pool(const Extent& kernel, const Extent& stride, const Padding& p, bool ceil, bool average,
            bool count_padding) {
    layer("Pooling", fmt::format("0={} 1={} 11={} 2={} 12={} 3={} 13={} 14={} 15={} 5={} 6={}",
                                 average ? 1 : 0, kernel[1], kernel[0], stride[1], stride[0], p[1],
                                 p[0], p[3], p[2], ceil ? 0 : 1, count_padding ? 1 : 0));
  }
  void write(const MaxPool& op) {
    if (op.dilation != Extent{1, 1}) refuse("its window has holes");
    pool(op.kernel, op.stride, op.padding, op.ceil, false, false);
  }
  void write(const AveragePool& op) {
    pool(op.kernel, op.stride, op.padding, op.ceil, true, op.count_padding);
  }

  void write(const Reduce& op) {
    const Shape& x = shape_of(0);
    if (x.size() != 4 || op.axes != std::vector<int64_t>{2, 3} ||
        op.function == Reduce::Function::sum) {
      refuse("only the mean or maximum of whole images is");
    }
    const std::string pooling = op.function == Reduce::Function::mean ? "0=1 4=1" : "0=0 4=1";
    if (!op.keep) return layer("Pooling", pooling);
    // Whose result has one axis.
    const std::string flat = name(node_->output) + "_flat";
    layer("Pooling", flat, {take(node_->inputs[0])}, flat, pooling);
    layer("Reshape", name(node_->output), {flat}, name(node_->output), "0=1 1=1 2=-1");
  }

  void write(const Unary& op) {
    using F = Unary::Function;
    const auto function = [&](int number) { layer("UnaryOp", fmt::format("0={}", number)); };
    switch (op.function) {
      case F::relu:
        return layer("ReLU", "");
      case F::leaky_relu:
        return layer("ReLU", "0=" + real(op.alpha));
      case F::clip:
        return layer("Clip", fmt::format("0={} 1={}", real(op.alpha), real(op.beta)));
      case F::elu:
        return layer("ELU", "0=" + real(op.alpha));
      case F::selu:
        return layer("SELU", fmt::format("0={} 1={}", real(op.alpha), real(op.beta)));
      case F::sigmoid:
        return layer("Sigmoid", "");
      case F::hard_sigmoid:
        return layer("HardSigmoid", fmt::format("0={} 1={}", real(op.alpha), real(op.beta)));
      case F::hard_swish:
        return layer("HardSwish", fmt::format("0={} 1={}", real(1.0F / 6), real(0.5F)));
      case F::mish:
        return layer("Mish", "");
      case F::gelu:
        return layer("GELU", "0=0");
      case F::tanh:
        return layer("TanH", "");
      case F::erf:
        return layer("Erf", "");
      case F::abs:
        return function(0);
      case F::neg:
        return function(1);
      case F::floor:
        return function(2);
      case F::ceil:
        return function(3);
      case F::sqrt:
        return function(5);
      case F::exp:
        return function(7);
      case F::log:
        return function(8);
      case F::reciprocal:
        return function(15);
      case F::softplus:
      case F::softsign:
        refuse("there is no layer like it");
    }
  }

  void write(const Binary& op) {
    using F = Binary::Function;
    if (op.function == F::prelu) {
      const Tensor& slope = weight(1);
      layer("PReLU", fmt::format("0={}", slope.data.size()));
      return put(slope.data);
    }
    const int number =
        static_cast<int>(op.function);  // add, sub, mul, div, max, min, pow are 0 to 6
    static_assert(static_cast<int>(F::sub) == 1 && static_cast<int>(F::pow) == 6);
    if (constant(1) != nullptr && constant(1)->data.size() == 1) {
      return layer("BinaryOp", fmt::format("0={} 1=1 2={}", number, real(constant(1)->data[0])));
    }
    std::vector<std::string> inputs;
    for (size_t i = 0; i < 2; ++i) {
      inputs.push_back(constant(i) == nullptr ? take(node_->inputs[i]) : memory_data(i));
    }
    layer("BinaryOp", name(node_->output), inputs, name(node_->output),
          fmt::format("0={}", number));
  }

  // A constant as a layer.
  std::string memory_data(size_t input) {
    Shape shape = constant(input)->shape;
    const bool has_batch = shape.size() == graph_.value(node_->output).shape.size();
    if (has_batch && shape[0] == 1) shape.erase(shape.begin());
    if (shape.empty() || shape.size() > 3) refuse("a constant has too many axes");
    std::string blob = fmt::format("{}_data{}", name(node_->output), input);
    std::string text = fmt::format("0={}", shape.back());
    if (shape.size() > 1) text += fmt::format(" 1={}", shape[shape.size() - 2]);
    if (shape.size() > 2) text += fmt::format(" 2={}", shape[0]);
    layer("MemoryData", blob, {}, blob, text);
    put(constant(input)->data);
    return blob;
  }

  void write(const Concat& op) {
    for (size_t i = 0; i < node_->inputs.size(); ++i) {
      if (constant(i) != nullptr) refuse("a constant is concatenated");
    }
    layer("Concat", fmt::format("0={}", axis(op.axis)));
  }

  void write(const Softmax& op) {
    if (op.log) refuse("the logarithm has no layer");
    layer("Softmax", fmt::format("0={} 1=1", axis(op.axis)));
  }

  // Axes are counted without the batch.
  int64_t axis(int64_t of) const {
    if (of < 1) refuse("it works along the batch");
    return of - 1;
  }

  void write(const Reshape&) {
    const Shape& to = graph_.value(node_->output).shape;
    const Shape& from = shape_of(0);
    if (to.empty() || to[0] != from[0] || to.size() > 4) refuse("it changes the batch");
    if (to.size() == 2) return layer("Flatten", "");
    layer("Reshape", input_size(to));
  }

  void write(const Slice& op) {
    std::string starts, ends, axes;
    for (size_t i = 0; i < op.axes.size(); ++i) {
      const Slice::Range range = op.range(i, shape_of(0)[static_cast<size_t>(op.axes[i])]);
      if (range.step != 1) refuse("it leaves elements out");
      starts += fmt::format(",{}", range.start);
      ends += fmt::format(",{}", range.start + range.count);
      axes += fmt::format(",{}", axis(op.axes[i]));
    }
    const size_t count = op.axes.size();
    layer("Crop", fmt::format("-23309={}{} -23310={}{} -23311={}{}", count, starts, count, ends,
                              count, axes));
  }

  void write(const Transpose& op) {
    if (op.order[0] != 0 || op.order.size() > 5) refuse("it changes the batch");
    layer("Permute", order_number(op.order));
  }

  // Orders are numbered as they come in a dictionary.
  template <typename Order>
  static std::string order_number(const Order& wanted) {
    std::vector<int64_t> order(wanted.size());
    std::iota(order.begin(), order.end(), 0);
    int number = 0;
    for (; !std::ranges::equal(order, wanted); ++number) {
      std::next_permutation(order.begin(), order.end());
    }
    return fmt::format("0={}", number);
  }

  void write(const Resize& op) {
    const bool linear = op.mode == Resize::Mode::linear;
    const bool corners = linear && op.coordinates == Resize::Coordinates::align_corners;
    for (const size_t direction : {0, 1}) {
      const int64_t in = shape_of(0)[2 + direction], out = op.size[direction];
      const auto rows = static_cast<double>(in);
      for (int64_t i = 0; i < out; ++i) {
        const auto at = static_cast<double>(i);
        double place = std::floor(at * rows / static_cast<double>(out));
        if (linear) place = (at + 0.5) * rows / static_cast<double>(out) - 0.5;
        if (corners) place = at * (rows - 1) / static_cast<double>(out - 1);
        place = std::clamp(place, 0.0, rows - 1);
        const Resize::Taps taps = op.taps(direction, in, i);
        const double ours =
            static_cast<double>(taps.low) + static_cast<double>(taps.high - taps.low) * taps.part;
        if (!(std::abs(ours - place) < 1e-4)) refuse("ncnn would look at other places");
      }
    }
    layer("Interp", fmt::format("0={} 3={} 4={} 6={}", linear ? 2 : 1, op.size[0], op.size[1],
                                corners ? 1 : 0));
  }

  void write(const DepthToSpace& op) {
    layer("PixelShuffle", fmt::format("0={} 1={}", op.block, op.column_row_depth ? 0 : 1));
  }

  void write(const Pad& op) {
    if (op.before.size() != 4) refuse("it is not of images");
    for (const auto* pads : {&op.before, &op.after}) {
      if ((*pads)[0] != 0 || *std::min_element(pads->begin(), pads->end()) < 0) {
        refuse("it changes the batch, or cuts off");
      }
    }
    const bool channels = op.before[1] != 0 || op.after[1] != 0;
    if (channels && op.mode != Pad::Mode::constant) refuse("it repeats channels");
    const int type = op.mode == Pad::Mode::constant ? 0 : op.mode == Pad::Mode::edge ? 1 : 2;
    layer("Padding",
          fmt::format("0={} 1={} 2={} 3={} 4={} 5={} 7={} 8={}", op.before[2], op.after[2],
                      op.before[3], op.after[3], type, real(op.value), op.before[1], op.after[1]));
  }

  void write(const GroupNorm& op) {
    const int64_t channels = shape_of(0)[1];
    layer("GroupNorm",
          fmt::format("0={} 1={} 2={} 3=0", channels / op.size, channels, real(op.epsilon)));
  }

  // Of pixels whose channels lie side by side.
  void write(const ChannelNorm& op) {
    const std::string& y = name(node_->output);
    const std::string pixels = y + "_pixels", normalised = y + "_normalised";
    layer("Permute", pixels, {take(node_->inputs[0])}, pixels, order_number(kToChannelsLast));
    layer("LayerNorm", normalised, {pixels}, normalised,
          fmt::format("0={} 1={} 2=0", shape_of(0)[1], real(op.epsilon)));
    layer("Permute", y, {normalised}, y, order_number(kToChannelsFirst));
  }

  void write(const InstanceNorm& op) {
    layer("InstanceNorm", fmt::format("0={} 1={}", shape_of(0)[1], real(op.epsilon)));
    for (const size_t i : {1, 2}) put(weight(i).data);
  }

  void write(const Shuffle& op) { layer("ShuffleChannel", fmt::format("0={}", op.groups)); }

  const Graph& graph_;
  bool half_;
  std::vector<int> uses_, taken_;   // by value: consumers, and how many of its copies they have
  std::set<std::string> seen_;      // names of blobs
  std::vector<std::string> names_;  // by value
  const Node* node_ = nullptr;      // that is written
  std::set<const Node*> fused_;     // activations that are in layers before them
  std::string param_, bin_;
  int layers_ = 0, blobs_ = 0;
};

}  // namespace

NcnnModel make_ncnn(const Graph& graph, bool half) { return Writer(graph, half).build(); }

}  // namespace nestling
