#include "interop/onnx_backend_suite.h"
#include "interop/package_outputs.h"
#include "support/gpu.h"

TEST_CASE("ONNX's backend suite on a GPU") {
  std::set<std::string> cpu_operators;
  test::run_suite(
      "package",
      [&](const test::BackendCase& c) {
        return test::package_outputs(c, &test::gpu(), &cpu_operators);
      },
      1e-4);
  // More axes than a kernel has, a constant that is not zero, shapes without a factor in common.
  CHECK(cpu_operators == std::set<std::string>{"normalise", "pad", "reduce", "reshape"});
}
