// Turns a Graph, nested or plain, into a .nest package and into one ONNX file a capacity.
#pragma once

#include <string>
#include <vector>

#include "runtime/package_format.h"

#include "graph/graph.h"
#include "graph/nesting.h"

namespace nestling {

// Of dense layers (PackageHeader); arithmetic is float16 only where weights are.
struct Precision {
  runtime::WeightType weights = runtime::WeightType::float32;
  runtime::WeightType arithmetic = runtime::WeightType::float32;
};

// The bytes of the package (lib/runtime/package_format.h, schemas/package.proto). Same graph, same
// bytes. Batch norms become scales and shifts of the convolution before them, Relu and Clip the
// bounds of the node before them, a flatten and the fully connected layer after it a convolution.
//
//   conv ─▶ bn ─▶ relu ─▶ flatten ─▶ gemm        conv(scale, shift, 0..inf) ─▶ conv(as large as
//                                                                               its input)
//
// Throws Error, naming the node, for what the runtime cannot run. `where` names the file in
// messages. As float16, dense weights take half as much; each is rounded to the nearest, and one
// too large for it is an error.
std::string make_package(const Graph& graph, const std::string& where,
                         const Precision& precision = {});

// Each capacity as a network of its own, the smallest first: only its own channels are in it. With
// `fold`, or if nestling-prune added them, without batch norms (graph/batch_norms.h).
std::vector<Graph> plain_capacities(const Graph& graph, const std::string& where,
                                    bool fold = false);

}  // namespace nestling
