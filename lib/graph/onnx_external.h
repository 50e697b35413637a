// Weights that an ONNX file keeps in files beside it
// (https://github.com/onnx/onnx/blob/main/docs/ExternalData.md).
#pragma once

#include <filesystem>
#include <onnx/onnx_pb.h>

namespace nestling {

// Reads them into the tensors of `model`, which lies in `folder`. The files are a stranger's
// choice: only plain files in that folder or below it are read, by names without "..", and through
// no symbolic link; only as many bytes as a tensor's shape needs, and in all no more than the files
// hold. Throws Error naming the tensor otherwise.
void read_external_data(onnx::ModelProto& model, const std::filesystem::path& folder);

}  // namespace nestling
