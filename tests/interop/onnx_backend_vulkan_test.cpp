#include "interop/onnx_backend_suite.h"
#include "interop/package_outputs.h"
#include "support/gpu.h"

TEST_CASE("ONNX's backend suite on a GPU") {
  test::run_suite(
      "package", [](const test::BackendCase& c) { return test::package_outputs(c, &test::gpu()); },
      1e-4);
}
