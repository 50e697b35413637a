#include "data/idx.h"

#include <algorithm>
#include <memory>
#include <zlib.h>

#include "base/error.h"
#include "base/file.h"

namespace nestling {

IdxArray read_idx(const std::filesystem::path& path) {
  // zlib reads plain files as they are.
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), &gzclose);
  if (!file) fail("cannot open {}", path.string());
  const auto read = [&](uint8_t* to, size_t count) {
    while (count > 0) {
      const auto part = static_cast<unsigned>(std::min<size_t>(count, 1U << 30));
      const int done = gzread(file.get(), to, part);
      if (done <= 0) fail("{} is cut short or damaged", path.string());
      to += done;
      count -= static_cast<size_t>(done);
    }
  };
  uint8_t magic[4];
  read(magic, sizeof magic);
  if (magic[0] != 0 || magic[1] != 0 || magic[2] != 8 || magic[3] < 1 || magic[3] > 4) {
    fail("{} is not an IDX file of bytes", path.string());
  }
  IdxArray array;
  uint64_t count = 1;
  for (int i = 0; i < magic[3]; ++i) {
    uint8_t size[4];
    read(size, sizeof size);
    array.shape.push_back(int64_t{size[0]} << 24 | size[1] << 16 | size[2] << 8 | size[3]);
    count *= static_cast<uint64_t>(array.shape.back());
    if (count == 0 || count > kMaxFileBytes) fail("{} has a size out of range", path.string());
  }
  // A header can claim anything: memory is asked for as the data comes.
  constexpr size_t kPart = size_t{16} << 20;
  while (array.data.size() < count) {
    const size_t done = array.data.size();
    array.data.resize(std::min<size_t>(count, done + kPart));
    read(array.data.data() + done, array.data.size() - done);
  }
  if (gzgetc(file.get()) != -1) fail("{} is longer than its header says", path.string());
  return array;
}

}  // namespace nestling
