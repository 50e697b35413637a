#include "interop/onnx_backend_suite.h"
#include "interop/package_outputs.h"
#include "support/targets.h"

#include "graph/interpreter.h"

TEST_CASE("ONNX's backend suite in the interpreter") {
  test::run_suite("interpreter", [](const test::BackendCase& c) {
    return nestling::interpret(c.graph, c.inputs);
  });
}

TEST_CASE("ONNX's backend suite in a package, on every instruction set") {
  test::for_each_instruction_set([] {
    test::run_suite("package", [](const test::BackendCase& c) { return test::package_outputs(c); });
  });
}
