// ONNX's own backend suite: models with inputs and the outputs that they must give.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace test {

struct BackendCase {
  nestling::Graph graph;
  std::vector<nestling::Tensor> inputs;
  std::vector<nestling::Tensor> expected;
};

// Folders of the suite (such as "node/test_relu") whose models consist of operators that the
// importer knows, in alphabetical order.
std::vector<std::string> backend_cases();

// Reads a case. Inputs are activations where the graph allows it; where it does not (a filter, the
// shape of a reshape) they become constants. Throws nestling::Error if it cannot be imported.
BackendCase load_backend_case(const std::string& name);

// The largest difference, relative to the largest value; infinity if shapes differ.
double difference(const std::vector<nestling::Tensor>& found,
                  const std::vector<nestling::Tensor>& expected);

}  // namespace test
