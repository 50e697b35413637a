#include <limits>

#include "runtime/vulkan/kernels/kernel.h"

namespace nestling::runtime::vulkan {

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
  std::array<Places::Place, kViews> at{};
  for (size_t v = 0; v < kViews; ++v) {
    const auto place = places.place_of(views[v]->data);
    if (!place) return std::nullopt;
    at[v] = *place;
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

// All elements of a tensor that has no gaps, in whatever order they lie.
View flat(const Tensor& t) { return View(t.data).add(t.elements(), 1); }

}  // namespace

std::optional<Dispatch> unary(const Step& step, const Places& places) {
  return map({.kind = Map::unary,
              .y = flat(step.y),
              .a = flat(step.inputs[0]),
              .function = static_cast<uint32_t>(step.node->numbers[0]),
              .by_input = step.then == Then::multiply,
              .alpha = step.node->reals[0],
              .beta = step.node->reals[1],
              .low = step.low,
              .high = step.high},
             places);
}

std::optional<Dispatch> binary(const Step& step, const Places& places) {
  const View b = broadcast(step.inputs[1], step.y.shape);
  return map({.kind = Map::binary,
              .y = View(step.y),
              .a = broadcast(step.inputs[0], step.y.shape),
              .b = &b,
              .function = static_cast<uint32_t>(step.node->numbers[0]),
              .low = step.low,
              .high = step.high},
             places);
}

std::optional<Dispatch> copy(const View& from, const View& to, const Places& places) {
  return map({Map::copy, to, from}, places);
}

}  // namespace nestling::runtime::vulkan
