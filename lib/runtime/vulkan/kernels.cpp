#include "runtime/vulkan/kernels.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <string_view>

namespace nestling::runtime::vulkan {
namespace {

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

Places::Place Places::place_of(const void* address) const {
  const auto* at = static_cast<const float*>(address);
  for (uint32_t k = 0; k < segments_.size(); ++k) {
    const Segment& segment = segments_[k];
    if (at >= segment.data && at < segment.data + segment.floats) {
      return {k, static_cast<uint32_t>(at - segment.data)};
    }
  }
  return {kNone, static_cast<uint32_t>(at - arena_)};
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
        const auto [segment, at] = places.place_of(block.weights.data);
        const size_t from = bundle.inputs_from(block.first).begin;
        blocks.push_back(
            {segment, at / 4, static_cast<uint32_t>(from), static_cast<uint32_t>(block.length)});
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

namespace {

enum class Map : uint32_t { unary = 0, binary = 1, copy = 2 };

// What a kernel of map.comp does with its views, which have the same sizes; `b` may be null.
struct Mapping {
  Map kind;
  View y, a;
  const View* b = nullptr;
  uint32_t function = 0;
  bool by_input = false;
  float alpha = 0, beta = 0;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

// None if there are too many axes.
std::optional<Dispatch> map(const Mapping& mapping, const Places& places) {
  constexpr size_t kAxes = 5, kViews = 3;
  const std::array<const View*, kViews> views{&mapping.y, &mapping.a,
                                              mapping.b != nullptr ? mapping.b : &mapping.a};
  struct Axis {
    size_t size = 1;
    std::array<std::ptrdiff_t, kViews> strides{};
  };
  // The widest first; two along which all views go on as along one are one.
  std::vector<Axis> axes;
  for (const size_t axis : axes_by_stride(mapping.y)) {
    Axis next{mapping.y.sizes[axis]};
    for (size_t v = 0; v < kViews; ++v) next.strides[v] = views[v]->strides[axis];
    bool goes_on = !axes.empty();
    for (size_t v = 0; goes_on && v < kViews; ++v) {
      goes_on = axes.back().strides[v] == next.strides[v] * static_cast<std::ptrdiff_t>(next.size);
    }
    if (goes_on) {
      axes.back() = {axes.back().size * next.size, next.strides};
    } else {
      axes.push_back(next);
    }
  }
  if (axes.size() > kAxes) return std::nullopt;
  axes.insert(axes.begin(), kAxes - axes.size(), Axis{});

  bool whole = axes.back().size % 4 == 0;
  std::array<Places::Place, kViews> at;
  for (size_t v = 0; v < kViews; ++v) {
    at[v] = places.place_of(views[v]->data);
    whole = whole && at[v].segment == kNone && at[v].at % 4 == 0 && axes.back().strides[v] == 1;
    for (size_t i = 0; whole && i + 1 < kAxes; ++i) whole = axes[i].strides[v] % 4 == 0;
  }
  if (whole) {
    axes.back().size /= 4;
    axes.back().strides = {4, 4, 4};
  }
  size_t count = 1;
  for (const Axis& axis : axes) count *= axis.size;
  Push push;
  push.add(at[0].at).add(at[1].at).add(at[2].at).add(at[1].segment).add(at[2].segment);
  push.add(count).add(mapping.alpha).add(mapping.beta).add(mapping.low).add(mapping.high);
  for (const Axis& axis : axes) push.add(axis.size);
  for (size_t v = 0; v < kViews; ++v) {
    for (const Axis& axis : axes) push.add(axis.strides[v]);
  }
  constexpr uint32_t kWide = 64, kMostGroups = 32768;
  const uint32_t groups = groups_of(count, kWide);
  return Dispatch{{Shader::map,
                   {kWide, 1, 1, places.segments(), static_cast<uint32_t>(mapping.kind), whole,
                    mapping.function, mapping.by_input}},
                  {std::min(groups, kMostGroups), groups_of(groups, kMostGroups), 1},
                  push.numbers()};
}

// Axes that views have in common.
struct Axes {
  std::vector<size_t> sizes;
  std::vector<std::ptrdiff_t> x_strides, y_strides;
  void add(size_t size, size_t x_stride, size_t y_stride) {
    sizes.push_back(size);
    x_strides.push_back(static_cast<std::ptrdiff_t>(x_stride));
    y_strides.push_back(static_cast<std::ptrdiff_t>(y_stride));
  }
};

enum class Lines : uint32_t { mean = 0, maximum = 1, sum = 2, softmax = 3, log_softmax = 4 };

// Lines of `along`, one at each place of `across`. None if there are too many axes, or too many
// lines.
std::optional<Dispatch> lines(Lines kind, const Step& step, Axes across, Axes along,
                              const Places& places) {
  constexpr size_t kAcross = 4, kAlong = 2, kWide = 64, kMostGroups = 65535;
  const auto x = places.in_arena(step.inputs[0].data), y = places.in_arena(step.y.data);
  if (!x || !y || across.sizes.size() > kAcross || along.sizes.size() > kAlong) {
    return std::nullopt;
  }
  const auto fill = [](Axes& axes, size_t count) {
    const size_t missing = count - axes.sizes.size();
    axes.sizes.insert(axes.sizes.begin(), missing, 1);
    axes.x_strides.insert(axes.x_strides.begin(), missing, 0);
    axes.y_strides.insert(axes.y_strides.begin(), missing, 0);
  };
  fill(across, kAcross);
  fill(along, kAlong);
  size_t count = 1;
  for (const size_t size : across.sizes) count *= size;
  Push push;
  push.add(*x).add(*y).add(count).add(step.low).add(step.high);
  for (const size_t size : across.sizes) push.add(size);
  for (const std::ptrdiff_t stride : across.x_strides) push.add(stride);
  for (const std::ptrdiff_t stride : across.y_strides) push.add(stride);
  for (const size_t size : along.sizes) push.add(size);
  for (const std::ptrdiff_t stride : along.x_strides) push.add(stride);
  const uint32_t groups = groups_of(count, kWide);
  if (groups > kMostGroups) return std::nullopt;
  return Dispatch{
      {Shader::lines, {kWide, 1, 1, places.segments(), static_cast<uint32_t>(kind), 0, 0, 0}},
      {groups, 1, 1},
      push.numbers()};
}

// numbers: {mean, maximum or sum; whether axes stay; axes}.
std::optional<Dispatch> reduce(const Step& step, const Places& places) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const std::vector<int64_t>& numbers = step.node->numbers;
  const bool keep = numbers[1] != 0;
  Axes across, along;
  size_t next = 2, axis_of_y = 0;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    const bool reduced = next < numbers.size() && numbers[next] == static_cast<int64_t>(axis);
    if (reduced) {
      if (x.shape[axis] > 1) along.add(x.shape[axis], x.strides[axis], 0);
    } else if (x.shape[axis] > 1) {
      across.add(x.shape[axis], x.strides[axis], y.strides[axis_of_y]);
    }
    next += reduced ? 1 : 0;
    axis_of_y += reduced && !keep ? 0 : 1;
  }
  return lines(static_cast<Lines>(numbers[0]), step, std::move(across), std::move(along), places);
}

// numbers: {axis, 1 for its logarithm}.
std::optional<Dispatch> softmax(const Step& step, const Places& places) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const auto along_axis = static_cast<size_t>(step.node->numbers[0]);
  if (x.strides != y.strides || is_bounded(step.low, step.high)) return std::nullopt;
  Axes across, along;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    if (x.shape[axis] == 1) continue;
    (axis == along_axis ? along : across).add(x.shape[axis], x.strides[axis], y.strides[axis]);
  }
  const bool log = step.node->numbers[1] != 0;
  return lines(log ? Lines::log_softmax : Lines::softmax, step, std::move(across), std::move(along),
               places);
}

// All elements of a tensor that has no gaps, in whatever order they lie.
View flat(const Tensor& t) { return View(t.data).add(t.elements(), 1); }

}  // namespace

std::optional<std::vector<Dispatch>> dispatches_of(const Step& step, const Places& places,
                                                   Table& table) {
  const std::string_view op = step.op->name;
  std::optional<Dispatch> one;
  if (step.op->moves != nullptr && !is_bounded(step.low, step.high)) {
    const auto moves = step.op->moves(step);
    if (!moves) return std::nullopt;
    std::vector<Dispatch> all;
    for (const Move& move : *moves) {
      auto dispatch = map({Map::copy, move.to, move.from}, places);
      if (!dispatch) return std::nullopt;
      all.push_back(*dispatch);
    }
    return all;
  }
  if (op == "unary") {
    one = map({.kind = Map::unary,
               .y = flat(step.y),
               .a = flat(step.inputs[0]),
               .function = static_cast<uint32_t>(step.node->numbers[0]),
               .by_input = step.then == Then::multiply,
               .alpha = step.node->reals[0],
               .beta = step.node->reals[1],
               .low = step.low,
               .high = step.high},
              places);
  } else if (op == "reduce") {
    one = reduce(step, places);
  } else if (op == "softmax") {
    one = softmax(step, places);
  } else if (op == "binary") {
    const View b = broadcast(step.inputs[1], step.y.shape);
    one = map({.kind = Map::binary,
               .y = View(step.y),
               .a = broadcast(step.inputs[0], step.y.shape),
               .b = &b,
               .function = static_cast<uint32_t>(step.node->numbers[0]),
               .low = step.low,
               .high = step.high},
              places);
  } else if (const auto layer = layer_of(step, places)) {
    if (step.op->weights == Weights::dense) one = conv(step, *layer, places, table);
    if (op == "depthwise") one = window(step, *layer, Window::depthwise, places);
    if (op == "max_pool") one = window(step, *layer, Window::maximum, places);
    if (op == "average_pool") one = window(step, *layer, Window::average, places);
    if (op == "affine") one = window(step, *layer, Window::affine, places);
  }
  if (!one) return std::nullopt;
  return std::vector<Dispatch>{*one};
}

}  // namespace nestling::runtime::vulkan
