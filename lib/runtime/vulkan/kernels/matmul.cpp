#include "runtime/vulkan/kernels/kernel.h"

namespace nestling::runtime::vulkan {

std::optional<Dispatch> matmul(const Step& step, const Places& places) {
  constexpr size_t kAxes = 3;
  constexpr uint32_t kWide = 64;
  const Tensor &a = step.inputs[0], &b = step.inputs[1], &y = step.y;
  const auto at_a = places.place_of(a.data), at_b = places.place_of(b.data);
  const auto at_y = places.in_arena(y.data);
  const size_t rank = y.shape.size(), batch = rank - 2;
  if (!at_a || !at_b || !at_y || batch > kAxes) return std::nullopt;
  // Along the axes of the batch, the last one the innermost; those that are missing, or are 1,
  // stand still.
  const auto stride = [&](const Tensor& t, size_t i) -> size_t {
    const size_t missing = kAxes + 2 - t.shape.size();
    return i < missing || t.shape[i - missing] == 1 ? 0 : t.strides[i - missing];
  };
  Push push;
  push.add(*at_y).add(at_a->at).add(at_b->at).add(at_a->segment).add(at_b->segment);
  push.add(y.elements()).add(step.low).add(step.high);
  for (size_t i = 0; i < kAxes; ++i) push.add(i + batch < kAxes ? 1 : y.shape[i + batch - kAxes]);
  for (const Tensor* t : {&y, &a, &b}) {
    for (size_t i = 0; i < kAxes; ++i) push.add(stride(*t, i));
  }
  push.add(y.shape[batch]).add(y.shape[batch + 1]).add(a.shape.back());
  for (const Tensor* t : {&y, &a, &b}) {
    push.add(t->strides[t->shape.size() - 2]).add(t->strides.back());
  }
  return Dispatch{{Shader::matmul, {kWide, 1, 1, places.segments(), 0, 0, 0, 0}},
                  {groups_of(y.elements(), kWide), 1, 1},
                  push.numbers()};
}

}  // namespace nestling::runtime::vulkan
