#include "graph/onnx_external.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <map>
#include <system_error>

#include "base/error.h"
#include "graph/tensor.h"

namespace nestling {
namespace fs = std::filesystem;
namespace {

using Proto = onnx::TensorProto;

uint64_t element_bytes(const Proto& tensor) {
  switch (tensor.data_type()) {
    case Proto::DOUBLE:
    case Proto::INT64:
    case Proto::UINT64:
      return 8;
    case Proto::FLOAT:
    case Proto::INT32:
    case Proto::UINT32:
      return 4;
    case Proto::FLOAT16:
    case Proto::BFLOAT16:
    case Proto::INT16:
    case Proto::UINT16:
      return 2;
    default:
      return 1;
  }
}

class ExternalData {
 public:
  explicit ExternalData(fs::path folder) : folder_(std::move(folder)) {}

  void read(Proto& tensor) {
    if (tensor.data_location() != Proto::EXTERNAL) return;
    std::map<std::string, std::string> entries;
    for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
      entries[entry.key()] = entry.value();
    }
    const std::string& location = entries["location"];
    const fs::path path = checked(location, tensor);
    const uint64_t offset = number(entries["offset"], 0, tensor);
    const Shape shape(tensor.dims().begin(), tensor.dims().end());
    for (const int64_t dimension : shape) {
      if (dimension < 0) fail("the tensor \"{}\" has a negative dimension", tensor.name());
    }
    const uint64_t needed = static_cast<uint64_t>(element_count(shape)) * element_bytes(tensor);
    if (number(entries["length"], needed, tensor) != needed) {
      fail("the data of the tensor \"{}\" does not fit its shape", tensor.name());
    }
    std::error_code error;
    const uint64_t size = fs::file_size(path, error);
    if (error)
      fail("the tensor \"{}\" is in {}: {}", tensor.name(), path.string(), error.message());
    if (offset > size || needed > size - offset) {
      fail("{} ends before the tensor \"{}\" does", path.string(), tensor.name());
    }
    if (sizes_.emplace(path, size).second) all_ += size;
    read_ += needed;
    if (read_ > all_) fail("its tensors need more bytes than {} holds", path.string());

    std::ifstream file(path, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    std::string& bytes = *tensor.mutable_raw_data();
    bytes.resize(needed);
    file.read(bytes.data(), static_cast<std::streamsize>(needed));
    if (!file) fail("cannot read {}", path.string());
    tensor.clear_data_location();
    tensor.clear_external_data();
  }

 private:
  fs::path checked(const std::string& location, const Proto& tensor) const {
    const fs::path relative(location);
    const bool climbs = std::any_of(relative.begin(), relative.end(),
                                    [](const fs::path& part) { return part == ".."; });
    if (location.empty() || relative.is_absolute() || climbs ||
        location.find('\\') != std::string::npos) {
      fail("the tensor \"{}\" is stored in \"{}\", which is not in the model's folder",
           tensor.name(), location.substr(0, 200));
    }
    fs::path path = folder_;
    for (const fs::path& part : relative) {
      path /= part;
      std::error_code error;
      if (fs::is_symlink(fs::symlink_status(path, error))) {
        fail("the tensor \"{}\" is stored in {}, a symbolic link, which is not followed",
             tensor.name(), path.string());
      }
    }
    std::error_code error;
    if (!fs::is_regular_file(path, error)) {
      fail("the tensor \"{}\" is stored in {}, which is not a file", tensor.name(), path.string());
    }
    return path;
  }

  static uint64_t number(const std::string& text, uint64_t otherwise, const Proto& tensor) {
    if (text.empty()) return otherwise;
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      fail("the tensor \"{}\" has an offset or length that is no number", tensor.name());
    }
    return value;
  }

  fs::path folder_;
  std::map<fs::path, uint64_t> sizes_;  // of the files used
  uint64_t all_ = 0, read_ = 0;
};

}  // namespace

void read_external_data(onnx::ModelProto& model, const fs::path& folder) {
  ExternalData data(folder);
  onnx::GraphProto& graph = *model.mutable_graph();
  for (Proto& tensor : *graph.mutable_initializer()) data.read(tensor);
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
      if (attribute.has_t()) data.read(*attribute.mutable_t());
    }
  }
}

}  // namespace nestling
