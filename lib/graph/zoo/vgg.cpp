// Simonyan and Zisserman, ICLR 2015; with batch norm. Small images get a global pooling and one
// fully connected layer instead of three.
#include <fmt/format.h>
#include <utility>

#include "graph/zoo/builder.h"

namespace nestling::zoo {

Graph vgg16(Builder b) {
  int layer = 0, stage = 0;
  for (const auto& [convolutions, filters] :
       {std::pair{2, 64}, std::pair{2, 128}, std::pair{3, 256}, std::pair{3, 512},
        std::pair{3, 512}}) {
    if (stage > 0) b.max_pool(fmt::format("pool{}", stage), 2);
    ++stage;
    for (int i = 0; i < convolutions; ++i) {
      b.conv_bn_relu(fmt::format("conv{}", ++layer), {.filters = b.filters(filters), .kernel = 3});
    }
  }
  if (b.small_images()) {
    b.pool_and_flatten();
    return b.finish();
  }
  b.max_pool("pool5", 2);
  b.node("flatten", flatten(), {b.x()});
  for (const char* name : {"fc1", "fc2"}) {
    b.fully_connected(name, b.filters(4096));
    b.relu(std::string(name) + ".relu");
  }
  return b.finish();
}

}  // namespace nestling::zoo
