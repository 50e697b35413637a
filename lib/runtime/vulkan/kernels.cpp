#include "runtime/vulkan/kernels.h"

#include <algorithm>
#include <bit>

namespace nestling::runtime::vulkan {
namespace {

constexpr uint32_t kNone = 0xffffffff;

// The numbers of a push constant block, in its order.
class Push {
 public:
  template <typename T>
  Push& add(T value) {
    if constexpr (std::is_floating_point_v<T>) {
      numbers_[count_++] = std::bit_cast<uint32_t>(value);
    } else {
      numbers_[count_++] = static_cast<uint32_t>(value);
    }
    return *this;
  }
  const std::array<uint32_t, kPushBytes / 4>& numbers() const { return numbers_; }

 private:
  std::array<uint32_t, kPushBytes / 4> numbers_{};
  size_t count_ = 0;
};

uint32_t groups_of(size_t items, uint32_t size) {
  return static_cast<uint32_t>((items + size - 1) / size);
}

// All images of a tensor as one, if they are: a batch of one, or rows of pixels.
std::optional<Image> whole_image(const Tensor& t) {
  if (t.shape.size() == 4) {
    if (t.shape[0] != 1) return std::nullopt;
    return image(t, 0);
  }
  const size_t channels = t.shape.back();
  return Image{t.data, 1, t.elements() / channels, channels, channels};
}

bool in_fours(std::initializer_list<size_t> numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](size_t n) { return n % 4 == 0; });
}

// What conv and window have in common.
struct Layer {
  Image x, y;
  uint32_t x_at, y_at, addend = kNone, scale = 0, shift = 0;
};
std::optional<Layer> layer_of(const Step& step, const Places& places) {
  const auto x = whole_image(step.inputs[0]), y = whole_image(step.y);
  if (!x || !y) return std::nullopt;
  const auto x_at = places.in_arena(x->data), y_at = places.in_arena(y->data);
  if (!x_at || !y_at) return std::nullopt;
  Layer layer{*x, *y, *x_at, *y_at};
  if (step.then == Then::add) {
    const auto addend = places.in_arena(step.inputs.back().data);
    if (!addend) return std::nullopt;
    layer.addend = *addend;
  }
  if (step.op->weights != Weights::none) {
    layer.scale = *places.in_arena(step.scale);
    layer.shift = *places.in_arena(step.shift);
  }
  return layer;
}

}  // namespace

std::optional<uint32_t> Places::in_arena(const float* address) const {
  if (address < arena_ || address >= arena_ + floats_) return std::nullopt;
  return static_cast<uint32_t>(address - arena_);
}

std::array<uint32_t, 2> Places::in_segment(const void* address) const {
  const auto* at = static_cast<const float*>(address);
  uint32_t k = 0;
  while (at < segments_[k].data || at >= segments_[k].data + segments_[k].floats) ++k;
  return {k, static_cast<uint32_t>(at - segments_[k].data) / 4};
}

namespace {

Dispatch conv(const Step& step, const Layer& layer, const Places& places, Table& table) {
  const NodeSpec& node = *step.node;
  const Image &x = layer.x, &y = layer.y;
  Table panels, blocks;
  bool whole = in_fours({layer.x_at, x.stride});
  bool half = false;
  for (const Bundle& bundle : step.bundles) {
    for (const Bundle::Panel& panel : bundle.panels) {
      panels.push_back({static_cast<uint32_t>(bundle.y_offset + panel.first),
                        static_cast<uint32_t>(panel.channels), static_cast<uint32_t>(blocks.size()),
                        static_cast<uint32_t>(panel.blocks.size())});
      for (const Bundle::Panel::Block& block : panel.blocks) {
        const auto [segment, at] = places.in_segment(block.weights.data);
        const size_t from = bundle.inputs_from(block.first).begin;
        blocks.push_back(
            {segment, at, static_cast<uint32_t>(from), static_cast<uint32_t>(block.length)});
        whole = whole && from % 4 == 0;
        half = block.weights.type == WeightType::float16;
      }
    }
  }
  const size_t pixels = y.height * y.width;
  const bool pointwise = node.kernel == std::array<uint32_t, 2>{1, 1} &&
                         node.stride == std::array<uint32_t, 2>{1, 1} &&
                         node.padding == std::array<uint32_t, 4>{};
  const uint32_t of_pixels = pixels == 1 ? 1 : 4;
  const uint32_t wide = pixels == 1 ? 1 : 8, high = pixels == 1 ? 64 : 8;
  const auto panel_table = static_cast<uint32_t>(table.size());
  table.insert(table.end(), panels.begin(), panels.end());
  const auto block_table = static_cast<uint32_t>(table.size());
  table.insert(table.end(), blocks.begin(), blocks.end());

  Push push;
  push.add(layer.x_at).add(layer.y_at).add(layer.addend).add(layer.scale).add(layer.shift);
  push.add(x.stride).add(y.stride).add(x.height).add(x.width).add(y.width);
  push.add(pixels).add(panels.size()).add(panel_table).add(block_table);
  push.add(node.kernel[0]).add(node.kernel[1]).add(node.stride[0]).add(node.stride[1]);
  push.add(node.dilation[0]).add(node.dilation[1]).add(node.padding[0]).add(node.padding[1]);
  push.add(step.low).add(step.high);
  return {{Shader::conv, {wide, high, 1, places.segments(), of_pixels, whole, pointwise, half}},
          {groups_of(groups_of(pixels, of_pixels), wide), groups_of(panels.size(), high), 1},
          push.numbers()};
}

enum class Window : uint32_t { depthwise = 0, maximum = 1, average = 2, affine = 3 };

Dispatch window(const Step& step, const Layer& layer, Window kind, const Places& places) {
  const NodeSpec& node = *step.node;
  const Image &x = layer.x, &y = layer.y;
  const uint32_t weights = kind == Window::depthwise ? *places.in_arena(step.channel_weights) : 0;
  const bool whole = in_fours({layer.x_at, layer.y_at, x.stride, y.stride, y.channels}) &&
                     (layer.addend == kNone || layer.addend % 4 == 0);
  const size_t channels = whole ? y.channels / 4 : y.channels;
  const size_t pixels = y.height * y.width;
  const uint32_t wide = channels >= 8 ? 8 : 1, high = 64 / wide;
  Push push;
  push.add(layer.x_at).add(layer.y_at).add(layer.addend).add(layer.scale).add(layer.shift);
  push.add(weights).add(x.stride).add(y.stride).add(x.height).add(x.width).add(y.width);
  push.add(pixels).add(y.channels).add(padded_row(y.channels));
  push.add(node.kernel[0]).add(node.kernel[1]).add(node.stride[0]).add(node.stride[1]);
  push.add(node.dilation[0]).add(node.dilation[1]);
  for (const uint32_t side : node.padding) push.add(side);
  push.add(step.low).add(step.high);
  push.add(kind == Window::average ? node.numbers[0] : 0);
  return {{Shader::window,
           {wide, high, 1, places.segments(), static_cast<uint32_t>(kind), whole, 0, 0}},
          {groups_of(channels, wide), groups_of(pixels, high), 1},
          push.numbers()};
}

}  // namespace

std::optional<Dispatch> dispatch_of(const Step& step, const Places& places, Table& table) {
  const std::string_view op = step.op->name;
  const auto layer = layer_of(step, places);
  if (!layer) return std::nullopt;
  if (step.op->weights == Weights::dense) return conv(step, *layer, places, table);
  if (op == "depthwise") return window(step, *layer, Window::depthwise, places);
  if (op == "max_pool") return window(step, *layer, Window::maximum, places);
  if (op == "average_pool") return window(step, *layer, Window::average, places);
  if (op == "affine") return window(step, *layer, Window::affine, places);
  return std::nullopt;
}

}  // namespace nestling::runtime::vulkan
