// What the kernels have in common: how a step becomes the numbers of a dispatch.
#pragma once

#include <algorithm>
#include <bit>
#include <initializer_list>
#include <optional>
#include <type_traits>

#include "runtime/vulkan/kernels.h"

namespace nestling::runtime::vulkan {

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

inline uint32_t groups_of(size_t items, uint32_t size) {
  return static_cast<uint32_t>((items + size - 1) / size);
}

inline bool in_fours(std::initializer_list<size_t> numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](size_t n) { return n % 4 == 0; });
}

// Where conv and window find an image of x and one of y, and what belongs to channels.
struct Layer {
  Image x, y;
  uint32_t x_at, y_at, addend = kNone, scale = 0, shift = 0;

  // Whether four channels lie aligned: of x, and of y and what is added to it.
  bool whole_x() const { return in_fours({x_at, x.stride}); }
  bool whole_y() const {
    return in_fours({y_at, y.stride}) && (addend == kNone || in_fours({addend}));
  }
};
// None if these are several images.
std::optional<Layer> layer_of(const Step& step, const Places& places);

// The weights of a dense layer, as tables of shaders have them: items are one or two panels of 8
// output channels, {first channel, how many, first block, how many}, and blocks {segment, where in
// units of 16 bytes, first input channel, how many}; a second panel's weights lie behind the
// first's.
struct Weighing {
  Table items, blocks;
  bool whole = true, whole_y = true;  // four channels lie together, of the input and the output
  bool half = false;                  // weights are float16
};
Weighing weighing_of(const Step& step, const Places& places);

// One function a shader, or several: none if the step is not one for it.
std::optional<Dispatch> conv(const Step& step, const Places& places, const Gpu& gpu, Table& table);
std::optional<std::vector<Dispatch>> winograd(const Step& step, const Places& places,
                                              const Gpu& gpu, Needs& needs);
std::optional<Dispatch> window(const Step& step, const Places& places);
std::optional<Dispatch> unary(const Step& step, const Places& places);
std::optional<Dispatch> binary(const Step& step, const Places& places);
std::optional<Dispatch> copy(const View& from, const View& to, const Places& places);
std::optional<Dispatch> reduce(const Step& step, const Places& places);
std::optional<Dispatch> arg_max(const Step& step, const Places& places);
std::optional<Dispatch> softmax(const Step& step, const Places& places);
std::optional<Dispatch> normalise(const Step& step, const Places& places);
std::optional<Dispatch> matmul(const Step& step, const Places& places);
std::optional<Dispatch> resize(const Step& step, const Places& places, Table& table);
std::optional<Dispatch> conv_transpose(const Step& step, const Places& places);
std::optional<Dispatch> lrn(const Step& step, const Places& places);

}  // namespace nestling::runtime::vulkan
