// An inference asks for no memory: what it needs is there since the capacity was chosen.
#include <atomic>
#include <cstdlib>
#include <new>

#include "interop/onnx_backend_suite.h"
#include "interop/package_outputs.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<size_t> allocations{0};

}  // namespace

// In place of the library's, for the whole program.
[[gnu::noinline]] void* operator new(size_t bytes) {
  if (counting) ++allocations;
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

TEST_CASE("an inference of any operator allocates nothing") {
  test::run_suite("package", [](const test::BackendCase& c) {
    return test::package_outputs(c, nullptr, nullptr, [](const test::Inference& run) {
      allocations = 0;
      counting = true;
      auto status = run();
      counting = false;
      if (allocations != 0) throw std::runtime_error(std::to_string(allocations) + " allocations");
      return status;
    });
  });
}
