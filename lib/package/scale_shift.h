// A layer's y = acc * scale + shift for one channel: what its bias, and the batch norm
// or the factors and addends behind it, come to.
#pragma once

#include <cmath>

#include "package/lowering.h"

namespace nestling {

struct ScaleShift {
  double scale = 1, shift = 0;
};

inline ScaleShift scale_shift(const Graph& graph, const LayerSource& source, size_t channel) {
  const auto at = [&](const std::string& name) -> double {
    return graph.constant(find_value(graph, name)).data.at(channel);
  };
  ScaleShift result;
  if (!source.bias.empty()) result.shift = at(source.bias);
  if (!source.mean.empty()) result.shift -= at(source.mean);
  if (!source.scale.empty()) result.scale = at(source.scale);
  if (!source.variance.empty()) result.scale /= std::sqrt(at(source.variance) + source.epsilon);
  result.shift *= result.scale;
  if (!source.shift.empty()) result.shift += at(source.shift);
  return result;
}

}  // namespace nestling
