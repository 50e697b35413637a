#include <algorithm>

#include "graph/interpret/window.h"

namespace nestling {

void interpret(const MaxPool& op, const Step& step) {
  slide(op, op.dilation, step, [](const std::vector<float>& window, int64_t) {
    return *std::max_element(window.begin(), window.end());
  });
}

}  // namespace nestling
