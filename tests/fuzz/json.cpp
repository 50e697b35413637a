// JSON from strangers: the parser, and the readers of metadata that is JSON.
#include "base/json.h"

#include <nlohmann/json.hpp>

#include "fuzz/memory_file.h"
#include "runtime/profile.h"
#include "support/test_graphs.h"

#include "base/error.h"
#include "graph/classifier.h"
#include "graph/nesting.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  static const nestling::Graph network = test::chain_network(1);
  const auto attempt = [](const auto& reader) {
    try {
      reader();
    } catch (const nestling::Error&) {
    }
  };
  attempt([&] { nestling::json_text(nestling::parse_json(text, "fuzz.json")); });
  for (const char* key : {"nestling.nesting", "nestling.classes", "nestling.mean",
                          "nestling.deviation", "nestling.resize"}) {
    nestling::Graph graph = network;
    graph.metadata[key] = text;
    attempt([&] { nestling::classifier_info(graph, "fuzz.onnx"); });
    attempt([&] { nestling::nesting_of(graph, "fuzz.onnx"); });
  }
  const fuzz::MemoryFile file(data, size);
  static_cast<void>(nestling::runtime::read_profile(file.path().c_str()));
  return 0;
}
