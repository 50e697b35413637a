// A package whose header is accepted runs at every capacity, whatever its weights are.
#include <cstring>
#include <vector>

#include "fuzz/memory_file.h"
#include "runtime/checksum.h"
#include "runtime/model.h"

using namespace nestling::runtime;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // With a right checksum, so that what is behind it is reached.
  std::vector<uint8_t> bytes(data, data + size);
  uint32_t length = 0;
  if (size >= kPreambleBytes) std::memcpy(&length, data + 12, 4);
  if (size >= kPreambleBytes && length <= size - kPreambleBytes) {
    const uint64_t sum = checksum(data + kPreambleBytes, length);
    std::memcpy(bytes.data() + 16, &sum, 8);
  }
  const fuzz::MemoryFile file(bytes.data(), bytes.size());
  auto opened = Model::open(file.path().c_str(), {.threads = 1, .verify = false});
  if (!opened.ok()) return 0;
  Model& model = opened.value();
  constexpr uint64_t kLarge = 1 << 20;  // larger ones are right, too, but slow
  for (uint32_t k = 1; k <= model.header().capacities() && k <= 4; ++k) {
    if (!model.set_capacity(k).ok()) return 0;
    if (model.footprint().activation_bytes > kLarge || model.footprint().weights_bytes > kLarge ||
        model.input_floats() > kLarge || model.output_floats() > kLarge) {
      return 0;
    }
    const std::vector<float> input(model.input_floats(), 0.5F);
    std::vector<float> output(model.output_floats());
    if (!model.run(input.data(), output.data()).ok()) return 0;
  }
  return 0;
}
