// An ONNX file that is accepted comes back from its own export, and its capacities can be taken.
#include "graph/onnx.h"

#include <cstdlib>

#include "base/error.h"
#include "graph/classifier.h"
#include "graph/cost.h"
#include "graph/groups.h"
#include "graph/nesting.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const nestling::Graph graph = nestling::import_onnx(bytes, "fuzz.onnx");
    const std::string text = nestling::export_onnx(graph);
    if (nestling::export_onnx(nestling::import_onnx(text, "export")) != text) std::abort();
    nestling::count_macs(graph);
    nestling::find_groups(graph);
    nestling::classifier_info(graph, "fuzz.onnx");
    const nestling::Nesting nesting = nestling::nesting_of(graph, "fuzz.onnx");
    for (int k = 1; k <= nesting.capacities(); ++k) nestling::descend(graph, nesting, k);
  } catch (const nestling::Error&) {
  }
  return 0;
}
