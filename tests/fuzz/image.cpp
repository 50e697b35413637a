// Images of every format that is read, brought to a small input in both ways.
#include "data/image.h"

#include "fuzz/memory_file.h"

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzz::MemoryFile file(data, size);
  for (const int64_t resize : {0, 20}) {
    try {
      nestling::load_image(file.path(), {.channels = 3,
                                         .height = 16,
                                         .width = 12,
                                         .resize = resize,
                                         .mean = {0, 0, 0},
                                         .deviation = {1, 1, 1}});
    } catch (const nestling::Error&) {
    }
  }
  return 0;
}
