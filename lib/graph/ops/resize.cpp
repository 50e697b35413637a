#include "graph/ops/resize.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {
namespace {

constexpr const char* kCoordinates[] = {"half_pixel", "pytorch_half_pixel", "align_corners",
                                        "asymmetric", "tf_half_pixel_for_nn"};
constexpr const char* kNearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};

template <typename Enum, size_t N>
Enum choose(const std::string& text, const char* const (&names)[N]) {
  for (size_t i = 0; i < N; ++i) {
    if (text == names[i]) return static_cast<Enum>(i);
  }
  fail("with {} is not supported", text);
}

// Sets the size from four scales or four sizes, of which the first two must change nothing.
void set_size(Resize& op, const Shape& x, const std::vector<double>& scales,
              const std::vector<double>& sizes) {
  if (x.size() != 4) fail("resizes something else than images");
  const std::vector<double>& given = sizes.empty() ? scales : sizes;
  if (given.size() != 4) fail("needs four scales or sizes");
  const auto unchanged = [&](size_t axis) {
    if (sizes.empty()) return scales[axis] == 1;
    return x[axis] == kBatch || sizes[axis] == static_cast<double>(x[axis]);
  };
  if (!unchanged(0) || !unchanged(1)) fail("resizes the batch or the channels");
  for (size_t i = 0; i < 2; ++i) {
    const auto in = static_cast<double>(x[i + 2]);
    const double out = sizes.empty() ? std::floor(in * scales[i + 2]) : sizes[i + 2];
    if (!(out >= 1 && out <= (1 << 20))) fail("its size is out of range");
    op.size[i] = static_cast<int64_t>(out);
    op.scale[i] = static_cast<float>(sizes.empty() ? scales[i + 2] : out / in);
  }
}

std::vector<double> optional_numbers(OnnxNode& node, size_t input) {
  return node.has_input(input) ? node.numbers(input) : std::vector<double>{};
}

void read_resize(OnnxNode& node) {
  Resize op;
  const std::string mode = node.text("mode", "nearest");
  if (mode != "nearest" && mode != "linear") fail("with {} is not supported", mode);
  op.mode = mode == "linear" ? Resize::Mode::linear : Resize::Mode::nearest;
  node.ignore("cubic_coeff_a");
  node.ignore("extrapolation_value");  // of tf_crop_and_resize, which is refused
  if (node.integer("exclude_outside", 0) != 0 && op.mode == Resize::Mode::linear) {
    fail("with exclude_outside is not supported");
  }
  if (node.integer("antialias", 0) != 0) fail("with antialias is not supported");
  if (!node.integers("axes").empty()) fail("names axes, which is not supported");
  if (node.text("keep_aspect_ratio_policy", "stretch") != std::string("stretch")) {
    fail("keeps the aspect ratio, which is not supported");
  }
  if (node.opset() < 11) {
    op.coordinates = Resize::Coordinates::asymmetric;
    op.nearest = Resize::Nearest::floor;
    set_size(op, node.shape(0), node.numbers(1), {});
  } else {
    op.coordinates = choose<Resize::Coordinates>(
        node.text("coordinate_transformation_mode", "half_pixel"), kCoordinates);
    op.nearest = choose<Resize::Nearest>(node.text("nearest_mode", "round_prefer_floor"), kNearest);
    set_size(op, node.shape(0), optional_numbers(node, 2), optional_numbers(node, 3));
  }
  node.append(op, {node.value(0)});
}

void read_upsample(OnnxNode& node) {
  Resize op;
  const std::string mode = node.text("mode", "nearest");
  if (mode != "nearest" && mode != "linear" && mode != "bilinear") {
    fail("with {} is not supported", mode);
  }
  op.mode = mode == "nearest" ? Resize::Mode::nearest : Resize::Mode::linear;
  op.coordinates = Resize::Coordinates::asymmetric;
  op.nearest = Resize::Nearest::floor;
  std::vector<double> scales;
  if (node.opset() < 9) {
    for (const float scale : node.reals("scales")) scales.push_back(scale);
  } else {
    scales = node.numbers(1);
  }
  set_size(op, node.shape(0), scales, {});
  node.append(op, {node.value(0)});
}

}  // namespace

Resize::Taps Resize::taps(size_t direction, int64_t in, int64_t at) const {
  const auto out = static_cast<float>(size[direction]);
  const auto x = static_cast<float>(at);
  const float ratio = scale[direction];
  float place = 0;
  switch (coordinates) {
    case Coordinates::half_pixel:
      place = (x + 0.5F) / ratio - 0.5F;
      break;
    case Coordinates::pytorch_half_pixel:
      place = size[direction] > 1 ? (x + 0.5F) / ratio - 0.5F : 0;
      break;
    case Coordinates::align_corners:
      place = size[direction] > 1 ? x * static_cast<float>(in - 1) / (out - 1) : 0;
      break;
    case Coordinates::asymmetric:
      place = x / ratio;
      break;
    case Coordinates::tf_half_pixel_for_nn:
      place = (x + 0.5F) / ratio;
      break;
  }
  const auto inside = [&](float index) {
    return std::clamp<int64_t>(static_cast<int64_t>(index), 0, in - 1);
  };
  if (mode == Mode::linear) {
    const float low = std::floor(place);
    return {inside(low), inside(low + 1), place - low};
  }
  float index = 0;
  switch (nearest) {
    case Nearest::round_prefer_floor:
      index = std::ceil(place - 0.5F);
      break;
    case Nearest::round_prefer_ceil:
      index = std::floor(place + 0.5F);
      break;
    case Nearest::floor:
      index = std::floor(place);
      break;
    case Nearest::ceil:
      index = std::ceil(place);
      break;
  }
  return {inside(index), inside(index), 0};
}

Shape Resize::shape(const Inputs& in) const {
  in.expect(1, 1);
  const Shape& x = in.expect_rank(0, 4);
  for (size_t i = 0; i < 2; ++i) {
    if (size[i] < 1 || size[i] > (1 << 20) || !(scale[i] > 0))
      in.refuse("its size is out of range");
  }
  return {x[0], x[1], size[0], size[1]};
}

void Resize::tie(Ties& ties) const { ties.join_channels(); }

void Resize::write(OnnxWriter& to) const {
  to.text("mode", mode == Mode::linear ? "linear" : "nearest");
  to.text("coordinate_transformation_mode", kCoordinates[static_cast<size_t>(coordinates)]);
  if (mode == Mode::nearest) to.text("nearest_mode", kNearest[static_cast<size_t>(nearest)]);
  to.skip_input();  // roi
  to.input(".scales", Tensor{{4}, {1, 1, scale[0], scale[1]}});
}

std::vector<OnnxRule> Resize::onnx() {
  return {{"Resize", read_resize}, {"Upsample", read_upsample}};
}

}  // namespace nestling
