// Arrays: IDX files, plain and gzipped, and NumPy files.
#include "fuzz/memory_file.h"

#include "base/error.h"
#include "data/idx.h"
#include "data/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzz::MemoryFile file(data, size);
  try {
    nestling::read_idx(file.path());
  } catch (const nestling::Error&) {
  }
  try {
    nestling::parse_npy({reinterpret_cast<const char*>(data), size}, "fuzz.npy");
  } catch (const nestling::Error&) {
  }
  return 0;
}
