#include <algorithm>
#include <limits>

#include "graph/interpret/window.h"

namespace nestling {

void interpret(const MaxPool& op, const Step& step) {
  slide(op, op.dilation, step, [](const std::vector<float>& window, int64_t) {
    float highest = -std::numeric_limits<float>::infinity();  // dilated windows can see nothing
    for (const float v : window) highest = std::max(highest, v);
    return highest;
  });
}

}  // namespace nestling
