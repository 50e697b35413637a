// A network whose weights float16 can hold, so that stored so they compute the same.
#pragma once

#include "base/float16.h"
#include "graph/graph.h"

namespace test {

inline nestling::Graph rounded_graph(nestling::Graph graph) {
  for (nestling::Value& value : graph.values) {
    if (!value.constant || value.constant->shape.size() < 2) continue;
    for (float& v : value.constant->data) v = nestling::from_float16(nestling::to_float16(v));
  }
  return graph;
}

}  // namespace test
