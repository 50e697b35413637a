#include "graph/interpret/window.h"

namespace nestling {

void interpret(const AveragePool& op, const Step& step) {
  slide(op, {1, 1}, step, [&](const std::vector<float>& window, int64_t padded) {
    float sum = 0;
    for (const float v : window) sum += v;
    const auto inside = static_cast<int64_t>(window.size());
    return sum / static_cast<float>(op.count_padding ? padded : inside);
  });
}

}  // namespace nestling
