// ONNX Runtime as an oracle, in a process of its own.
#pragma once

#include <cstdlib>
#include <cstring>
#include <string>

#include "support/temporary_folder.h"

#include "base/error.h"
#include "base/file.h"
#include "graph/graph.h"

namespace test {

// The values of the first output of an ONNX file for `x` [N, C, H, W]. Throws Error if ONNX Runtime
// refuses the model.
inline std::vector<float> run_onnxruntime_on_file(const std::filesystem::path& model,
                                                  const nestling::Tensor& x) {
  const TemporaryFolder folder;
  nestling::write_file(folder / "input", {reinterpret_cast<const char*>(x.data.data()),
                                          x.data.size() * sizeof(float)});
  std::string shape;
  for (const int64_t size : x.shape) shape += (shape.empty() ? "" : ",") + std::to_string(size);
  const std::string command = "NESTLING_PEERS='" NESTLING_PEERS "' node '" NESTLING_INTEROP
                              "/onnxruntime.mjs' " +
                              model.string() + " " + (folder / "input").string() + " " +
                              (folder / "output").string() + " " + shape;
  if (std::system(command.c_str()) != 0) nestling::fail("ONNX Runtime failed on the model");
  const std::string bytes = nestling::read_file(folder / "output");
  std::vector<float> output(bytes.size() / sizeof(float));
  std::memcpy(output.data(), bytes.data(), bytes.size());
  return output;
}

// The same of a file's bytes.
inline std::vector<float> run_onnxruntime(const std::string& model, const nestling::Tensor& x) {
  const TemporaryFolder folder;
  nestling::write_file(folder / "model.onnx", model);
  return run_onnxruntime_on_file(folder / "model.onnx", x);
}

}  // namespace test
