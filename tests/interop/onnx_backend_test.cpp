#include "interop/onnx_backend_suite.h"

#include "graph/interpreter.h"

TEST_CASE("ONNX's backend suite in the interpreter") {
  test::run_suite("interpreter", [](const test::BackendCase& c) {
    return nestling::interpret(c.graph, c.inputs);
  });
}
