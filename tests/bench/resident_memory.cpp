// The memory that a model adds to a process which has nothing but the runtime, beside what it says
// that it takes:
//   resident_memory MODEL.nest [THREADS]
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <unistd.h>
#include <vector>

#include "runtime/model.h"

namespace {

// The bytes of the process that are in memory (proc(5)).
double resident_bytes() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "r"),
                                                   &std::fclose);
  long all = 0, resident = 0;
  if (!file || std::fscanf(file.get(), "%ld %ld", &all, &resident) != 2) return 0;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

int fail(const nestling::runtime::Status& status) {
  std::fprintf(stderr, "resident_memory: %s\n", status.text().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: resident_memory MODEL.nest [THREADS]\n");
    return 2;
  }
  const double before = resident_bytes();
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  auto opened = nestling::runtime::Model::open(argv[1], {.threads = threads});
  if (!opened.ok()) return fail(opened.status());
  nestling::runtime::Model& model = opened.value();
  if (auto status = model.set_capacity(model.available()); !status.ok()) return fail(status);
  std::vector<float> input(model.input_floats(), 0.5F), output(model.output_floats());
  for (int run = 0; run < 3; ++run) {
    if (auto status = model.run(input.data(), output.data()); !status.ok()) return fail(status);
  }
  const double more = resident_bytes() - before;
  const nestling::runtime::Footprint footprint = model.footprint();
  const auto said = static_cast<double>(footprint.weights_bytes + footprint.activation_bytes);
  constexpr double kMega = 1e6;
  std::printf("%.2f MB more than before, %.2f of segments and arena, %.3f with 2 MB less\n",
              more / kMega, said / kMega, (more - 2 * kMega) / said);
}
