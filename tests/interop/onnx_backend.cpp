#include "interop/onnx_backend.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <onnx/onnx_pb.h>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "graph/onnx.h"
#include "graph/onnx_tensor.h"

namespace test {
namespace {

using nestling::Tensor;
namespace fs = std::filesystem;

onnx::ModelProto read_model(const fs::path& file) {
  onnx::ModelProto model;
  if (!model.ParseFromString(nestling::read_file(file))) nestling::fail("{}", file.string());
  return model;
}

Tensor as_floats(const onnx::TensorProto& proto) {
  const nestling::Numbers numbers = nestling::number_tensor(proto);
  return {numbers.shape, {numbers.data.begin(), numbers.data.end()}};
}

onnx::TensorProto read_tensor(const fs::path& file) {
  onnx::TensorProto proto;
  if (!proto.ParseFromString(nestling::read_file(file))) nestling::fail("{}", file.string());
  return proto;
}

// The inputs that no initializer gives, and their values.
struct GivenInputs {
  std::vector<std::string> names;
  std::vector<onnx::TensorProto> values;
};

GivenInputs given_inputs(const onnx::ModelProto& model, const fs::path& data) {
  std::set<std::string> initialized;
  for (const onnx::TensorProto& tensor : model.graph().initializer()) {
    initialized.insert(tensor.name());
  }
  GivenInputs given;
  for (const onnx::ValueInfoProto& input : model.graph().input()) {
    if (initialized.contains(input.name())) continue;
    const std::string file = "input_" + std::to_string(given.names.size()) + ".pb";
    given.names.push_back(input.name());
    given.values.push_back(read_tensor(data / file));
  }
  return given;
}

BackendCase with_activations(onnx::ModelProto model, const GivenInputs& given, size_t activations,
                             const std::string& name) {
  BackendCase result;
  for (size_t i = 0; i < given.names.size(); ++i) {
    onnx::TensorProto tensor = given.values[i];
    if (i < activations && nestling::is_float(tensor)) {
      result.inputs.push_back(as_floats(tensor));
    } else {
      tensor.set_name(given.names[i]);
      *model.mutable_graph()->add_initializer() = tensor;
    }
  }
  result.graph = nestling::import_onnx(model.SerializeAsString(), name);
  return result;
}

}  // namespace

std::vector<std::string> backend_cases() {
  const std::vector<std::string> operators = nestling::onnx_operators();
  const std::set<std::string> known(operators.begin(), operators.end());
  std::vector<std::string> names;
  for (const char* kind : {"node", "pytorch-converted", "pytorch-operator", "simple"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(NESTLING_ONNX_SUITE) / kind)) {
      const onnx::ModelProto model = read_model(entry.path() / "model.onnx");
      const auto& nodes = model.graph().node();
      if (std::all_of(nodes.begin(), nodes.end(),
                      [&](const auto& node) { return known.contains(node.op_type()); })) {
        names.push_back(std::string(kind) + "/" + entry.path().filename().string());
      }
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

BackendCase load_backend_case(const std::string& name) {
  const fs::path folder = fs::path(NESTLING_ONNX_SUITE) / name;
  const fs::path data = folder / "test_data_set_0";
  const onnx::ModelProto model = read_model(folder / "model.onnx");
  const GivenInputs given = given_inputs(model, data);
  BackendCase result;
  for (size_t activations = given.names.size();; --activations) {
    try {
      result = with_activations(model, given, activations, name);
      break;
    } catch (const nestling::Error&) {
      if (activations <= 1) throw;
    }
  }
  for (size_t i = 0; i < result.graph.outputs.size(); ++i) {
    result.expected.push_back(
        as_floats(read_tensor(data / ("output_" + std::to_string(i) + ".pb"))));
  }
  return result;
}

double difference(const std::vector<Tensor>& found, const std::vector<Tensor>& expected) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (found.size() != expected.size()) return kInfinity;
  double worst = 0;
  for (size_t k = 0; k < found.size(); ++k) {
    if (found[k].shape != expected[k].shape) return kInfinity;
    double largest = 1e-6, most = 0;
    for (size_t i = 0; i < found[k].data.size(); ++i) {
      const double a = found[k].data[i], b = expected[k].data[i];
      if (!std::isfinite(a) || !std::isfinite(b)) {
        if (a == b || (std::isnan(a) && std::isnan(b))) continue;
        return kInfinity;
      }
      largest = std::max(largest, std::abs(b));
      most = std::max(most, std::abs(a - b));
    }
    worst = std::max(worst, most / largest);
  }
  return worst;
}

}  // namespace test
