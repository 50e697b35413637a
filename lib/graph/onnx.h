// ONNX files in and out (https://github.com/onnx/onnx/blob/main/docs/IR.md).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "graph/graph.h"

namespace nestling {

// Reads a model. Normalises: weights become float32 constants, Identity and Dropout disappear,
// a Reshape that flattens becomes Flatten, Clip bounds become attributes, MatMul + Add becomes
// Gemm and Gemm weights are stored [out, in]. `where` names the source in messages. Throws Error
// for what is no ONNX model, for a dynamic spatial size, for a weight that is not finite, and, all
// in one message, for every node whose operator or attribute is not supported.
Graph import_onnx(std::string_view bytes, const std::string& where);

// Reads `path` and imports it.
Graph load_onnx(const std::filesystem::path& path);

// A self-contained model of opset 13, IR 7, that ONNX Runtime runs: same graph, same bytes.
std::string export_onnx(const Graph& graph);

}  // namespace nestling
