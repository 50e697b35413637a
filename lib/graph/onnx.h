// ONNX files in and out (https://github.com/onnx/onnx/blob/main/docs/IR.md).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace nestling {

// Reads a model of opset 1 to 22. Normalises: weights become float32 constants, what is computed
// from constants and sizes alone is computed, Identity, Dropout and dead nodes disappear, a Split
// is slices, Squeeze and Flatten are reshapes, a product by a constant matrix is a Gemm with a
// bias, whose weight is stored [out, in]. The batch is symbolic, unless an operator works along it.
// Images [N, H, W, C] whose channels are moved before anything else are [N, C, H, W].
// `where` names the source in messages. `input` is the size of the only input, without the batch,
// whatever the model says; empty: as it says. Throws Error for what is no ONNX model, for a size
// that is neither given nor said, for a weight that is not finite, and, all in one message, for
// every node whose operator or attribute is not supported.
Graph import_onnx(std::string_view bytes, const std::string& where, const Shape& input = {});

// Reads `path`, and the files beside it in which it may keep weights, and imports it.
Graph load_onnx(const std::filesystem::path& path, const Shape& input = {});

// The ONNX operators that files may consist of, in alphabetical order.
std::vector<std::string> onnx_operators();

// A self-contained model that ONNX Runtime runs, of opset 13, or of the first that has all the
// operators: same graph, same bytes.
std::string export_onnx(const Graph& graph);

}  // namespace nestling
