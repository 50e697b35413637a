// What we ship of a multi-capacity model, read by others: each capacity's ONNX file and the nested
// file by ONNX Runtime, the package's header by protobuf's own parser.
#include <cstring>

#include "interop/onnxruntime.h"
#include "package.pb.h"
#include "runtime/package_format.h"
#include "support/catch.h"
#include "support/nested_graph.h"

#include "base/error.h"
#include "graph/interpreter.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "package/package.h"

namespace {

void check_close(const std::vector<float>& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == Approx(expected[i]).epsilon(1e-4).margin(1e-4));
  }
}

}  // namespace

TEST_CASE("ONNX Runtime runs every capacity's file, each really smaller, and the nested file") {
  nestling::Random random(21);
  for (const nestling::Growth growth :
       {nestling::Growth::full, nestling::Growth::causal, nestling::Growth::joint}) {
    const nestling::Graph nested = test::nested_graph(test::residual_network(1), growth, 3, random);
    const auto nesting = nestling::nesting_of(nested, "nested");
    const nestling::Tensor x = test::random_tensor({2, 3, 8, 8}, random);
    const auto capacities = nestling::plain_capacities(nested, "nested");
    REQUIRE(capacities.size() == 3);
    size_t bytes = 0;
    for (int k = 1; k <= 3; ++k) {
      const std::string file = nestling::export_onnx(capacities[static_cast<size_t>(k - 1)]);
      check_close(test::run_onnxruntime(file, x),
                  nestling::interpret(nestling::descend(nested, nesting, k), x).at(0).data);
      CHECK(file.size() > bytes);
      bytes = file.size();
    }
    check_close(test::run_onnxruntime(nestling::export_onnx(nested), x),
                nestling::interpret(nested, x).at(0).data);
  }
}

TEST_CASE("protobuf reads the package's header by schemas/package.proto") {
  nestling::Random random(22);
  const nestling::Graph nested =
      test::nested_graph(test::every_op_network(2), nestling::Growth::full, 3, random);
  const std::string bytes = nestling::make_package(nested, "nested");
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 12, 4);
  nestling::package::Header header;
  REQUIRE(header.ParseFromString(bytes.substr(nestling::runtime::kPreambleBytes, length)));
  CHECK(header.name() == "test");
  CHECK(header.segments_size() == 3);
  CHECK(header.mean_size() == 3);
  CHECK(header.nodes(0).op() == "conv");
  CHECK(header.nodes(0).low() == 0);  // its Relu
  CHECK(header.nodes(0).kernel_size() == 2);
  CHECK(header.nodes(1).op() == "depthwise");
  CHECK(header.nodes(header.nodes_size() - 1).op() == "softmax");
  const auto nesting = nestling::nesting_of(nested, "nested");
  for (const auto& group : nesting.groups) {
    bool found = false;
    for (const auto& spec : header.groups()) {
      found = found ||
              (spec.name() == group.name && std::equal(spec.widths().begin(), spec.widths().end(),
                                                       group.widths.begin(), group.widths.end()));
    }
    CHECK(found);
  }
  for (const auto& segment : header.segments()) {
    CHECK(segment.offset() % 16384 == 0);
    CHECK(segment.offset() + segment.bytes() <= bytes.size());
  }
}
