#include "runtime/vulkan/kernels.h"

#include <string_view>

#include "runtime/vulkan/kernels/kernel.h"

namespace nestling::runtime::vulkan {
namespace {

// All images of a tensor as one, if they are: a batch of one, or rows of pixels.
std::optional<Image> whole_image(const Tensor& t) {
  if (t.shape.size() == 4) {
    if (t.shape[0] != 1) return std::nullopt;
    return image(t, 0);
  }
  const size_t channels = t.shape.back();
  return Image{t.data, 1, t.elements() / channels, channels, channels};
}

}  // namespace

uint64_t Places::floats() const {
  uint64_t all = floats_;
  for (const Segment& segment : segments_) all += segment.floats;
  return all;
}

std::optional<uint32_t> Places::in_arena(const float* address) const {
  if (address < arena_ || address >= arena_ + floats_) return std::nullopt;
  return static_cast<uint32_t>(address - arena_);
}

std::optional<Places::Place> Places::place_of(const void* address) const {
  const auto* at = static_cast<const float*>(address);
  for (uint32_t k = 0; k < segments_.size(); ++k) {
    const Segment& segment = segments_[k];
    if (at >= segment.data && at < segment.data + segment.floats) {
      return Place{k, static_cast<uint32_t>(at - segment.data)};
    }
  }
  const auto in = in_arena(at);
  if (!in) return std::nullopt;
  return Place{kNone, *in};
}

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

namespace {

// Of an operator that is one dispatch.
std::optional<Dispatch> dispatch_of(const Step& step, const Places& places, const Gpu& gpu,
                                    Table& table) {
  const std::string_view op = step.op->name;
  if (step.op->weights == Weights::dense) return conv(step, places, gpu, table);
  for (const char* by_channel : {"depthwise", "max_pool", "average_pool", "affine"}) {
    if (op == by_channel) return window(step, places);
  }
  if (op == "unary") return unary(step, places);
  if (op == "binary") return binary(step, places);
  if (op == "reduce") return reduce(step, places);
  if (op == "arg_max") return arg_max(step, places);
  if (op == "softmax") return softmax(step, places);
  if (op == "normalise") return normalise(step, places);
  if (op == "lrn") return lrn(step, places);
  if (op == "matmul") return matmul(step, places);
  if (op == "resize") return resize(step, places, table);
  if (op == "conv_transpose") return conv_transpose(step, places);
  return std::nullopt;
}

// Of an operator that only moves elements.
std::optional<std::vector<Dispatch>> moves_of(const Step& step, const Places& places) {
  struct Context {
    const Places& places;
    std::vector<Dispatch> dispatches = {};
    bool complete = true;
  } context{places};
  const auto add = [](void* given, const View& from, const View& to) {
    auto& all = *static_cast<Context*>(given);
    const auto dispatch = copy(from, to, all.places);
    all.complete = all.complete && dispatch;
    if (dispatch) all.dispatches.push_back(*dispatch);
  };
  const bool moves = step.op->moves(step, {add, &context});
  if (!moves || !context.complete || is_bounded(step.low, step.high)) return std::nullopt;
  return std::move(context.dispatches);
}

}  // namespace

std::optional<std::vector<Dispatch>> dispatches_of(const Step& step, const Places& places,
                                                   const Gpu& gpu, Needs& needs) {
  if (step.op->moves != nullptr) return moves_of(step, places);
  if (auto several = winograd(step, places, gpu, needs)) return several;
  auto dispatch = dispatch_of(step, places, gpu, needs.table);
  if (!dispatch) return std::nullopt;
  return std::vector<Dispatch>{*dispatch};
}

}  // namespace nestling::runtime::vulkan
