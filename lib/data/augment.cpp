#include "data/augment.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "base/random.h"

namespace nestling {
namespace {

struct Named {
  std::string_view name;
  bool Augment::*change;
};
constexpr Named kNamed[] = {
    {"crop", &Augment::crop}, {"flip", &Augment::flip}, {"cutout", &Augment::cutout}};

// Where each pixel of an image comes from.
struct Change {
  int64_t down = 0, right = 0;  // by how many pixels the image moves
  bool flip = false;
  int64_t top = 0, left = 0, bottom = 0, right_end = 0;  // of the square that is cut out
};

Change draw(const Dataset& data, const Augment& augment, Random random) {
  Change change;
  const auto move = [&](int64_t size) {
    const int64_t most = size / 8;
    return static_cast<int64_t>(random.below(static_cast<uint64_t>(2 * most + 1))) - most;
  };
  if (augment.crop) {
    change.down = move(data.height);
    change.right = move(data.width);
  }
  if (augment.flip) change.flip = random.below(2) == 1;
  if (augment.cutout) {
    // Its middle is anywhere, so that it may lie partly outside.
    const int64_t half = std::max<int64_t>(1, std::min(data.height, data.width) / 4);
    const auto y = static_cast<int64_t>(random.below(static_cast<uint64_t>(data.height)));
    const auto x = static_cast<int64_t>(random.below(static_cast<uint64_t>(data.width)));
    change.top = y - half;
    change.bottom = y + half;
    change.left = x - half;
    change.right_end = x + half;
  }
  return change;
}

}  // namespace

Augment parse_augment(const std::string& text) {
  if (text == "none") return {};
  Augment augment;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto* named = std::find_if(std::begin(kNamed), std::end(kNamed),
                                     [&](const auto& one) { return one.name == part; });
    if (named == std::end(kNamed)) {
      fail("there is no augmentation \"{}\"; there are: none, crop, flip, cutout",
           part.substr(0, 40));
    }
    augment.*named->change = true;
  }
  return augment;
}

std::string augment_text(const Augment& augment) {
  std::string text;
  for (const auto& [name, change] : kNamed) {
    if (augment.*change) text += (text.empty() ? "" : ",") + std::string(name);
  }
  return text.empty() ? "none" : text;
}

Dataset mirrored(const Dataset& data) {
  Dataset result = data;
  const auto width = static_cast<std::ptrdiff_t>(data.width);
  for (auto row = result.pixels.begin(); row != result.pixels.end(); row += width) {
    std::reverse(row, row + width);
  }
  return result;
}

std::vector<float> augmented(const Dataset& data, std::span<const int64_t> indices,
                             const Augment& augment, uint64_t seed, std::vector<uint8_t>* flipped) {
  if (flipped != nullptr) flipped->assign(indices.size(), 0);
  if (!augment.any()) return normalised(data, indices);
  const std::vector<float> plain = normalised(data, indices);
  std::vector<float> result(plain.size(), 0);  // the mean, once it is normalised
  const int64_t height = data.height, width = data.width;
  for (size_t n = 0; n < indices.size(); ++n) {
    const Change change =
        draw(data, augment, Random(sub_seed(seed, {static_cast<uint64_t>(indices[n])})));
    if (flipped != nullptr) (*flipped)[n] = change.flip ? 1 : 0;
    for (int64_t c = 0; c < data.channels; ++c) {
      const int64_t plane = (static_cast<int64_t>(n) * data.channels + c) * height * width;
      for (int64_t y = 0; y < height; ++y) {
        const int64_t from_y = y - change.down;
        if (from_y < 0 || from_y >= height) continue;
        const float* from = plain.data() + plane + from_y * width;
        float* to = result.data() + plane + y * width;
        const bool row_cut = y >= change.top && y < change.bottom;
        for (int64_t x = 0; x < width; ++x) {
          const int64_t moved = x - change.right;
          if (moved < 0 || moved >= width) continue;
          if (row_cut && x >= change.left && x < change.right_end) continue;
          to[x] = from[change.flip ? width - 1 - moved : moved];
        }
      }
    }
  }
  return result;
}

}  // namespace nestling
