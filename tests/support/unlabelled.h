// Images without labels, and a network whose task has none.
#pragma once

#include "support/test_graphs.h"

#include "data/dataset.h"

namespace test {

inline nestling::Dataset unlabelled_images(int64_t images) {
  nestling::Random random(3);
  nestling::Dataset data;
  data.name = "noise";
  data.split = "train";
  data.channels = 3;
  data.height = data.width = 8;
  data.mean = {0.5F, 0.5F, 0.5F};
  data.deviation = {0.25F, 0.25F, 0.25F};
  for (int64_t i = 0; i < images * 3; ++i) {  // each in a colour of its own
    const uint64_t base = random.below(200);
    for (int p = 0; p < 64; ++p)
      data.pixels.push_back(static_cast<uint8_t>(base + random.below(56)));
  }
  data.labels.resize(static_cast<size_t>(images));
  return data;
}

// Twice the image's size, by sub-pixels.
inline nestling::Graph super_resolution(uint64_t seed) {
  Builder b(seed);
  const nestling::Conv same{.kernel = {3, 3}, .padding = {1, 1, 1, 1}};
  auto x = b.node("relu1", nestling::kRelu, {b.conv("conv1", b.input(), 16, same)});
  x = b.node("relu2", nestling::kRelu, {b.conv("conv2", x, 16, same)});
  x = b.conv("conv3", x, 12, same, false);
  return b.finish(b.node("space", nestling::DepthToSpace{2, false}, {x}));
}

}  // namespace test
