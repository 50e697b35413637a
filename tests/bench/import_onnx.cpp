// What reading an ONNX file takes, and finding its channel groups.
//   import_onnx MODEL.onnx
#include <filesystem>
#include <fmt/format.h>
#include <sys/resource.h>

#include "seconds.h"

#include "base/error.h"
#include "graph/groups.h"
#include "graph/onnx.h"

namespace {

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) nestling::fail("usage: import_onnx MODEL.onnx");
  const double before = peak_mb();
  nestling::Graph graph;
  const double reading = bench::seconds([&] { graph = nestling::load_onnx(argv[1]); });
  const double memory = peak_mb() - before;
  size_t groups = 0;
  const double grouping =
      bench::seconds([&] { groups = nestling::find_groups(graph).groups.size(); });
  const double size = static_cast<double>(std::filesystem::file_size(argv[1])) / (1 << 20);
  fmt::print(
      "{}: {:.1f} MB read in {:.2f} s with {:.2f} times as much memory; {} groups in {:.3f} s\n",
      argv[1], size, reading, memory / size, groups, grouping);
} catch (const std::exception& error) {
  fmt::print(stderr, "import_onnx: {}\n", error.what());
  return 1;
}
