#include "runtime/cache_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <unistd.h>

#include "runtime/checksum.h"

namespace nestling::runtime {
namespace {

constexpr size_t kMostBytes = size_t{256} << 20;

struct Close {
  void operator()(FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<FILE, Close>;

}  // namespace

std::string read_cache(const std::string& path) {
  if (path.empty()) return {};
  const File file(std::fopen(path.c_str(), "rb"));
  uint64_t expected = 0;
  if (!file || std::fread(&expected, sizeof expected, 1, file.get()) != 1) return {};
  std::string data;
  char buffer[1 << 16];
  while (const size_t count = std::fread(buffer, 1, sizeof buffer, file.get())) {
    data.append(buffer, count);
    if (data.size() > kMostBytes) return {};
  }
  return checksum(data.data(), data.size()) == expected ? data : std::string();
}

Status write_cache(const std::string& path, const std::string& data) {
  const std::string beside = path + '.' + std::to_string(::getpid());
  const auto failed = [&] {
    Status status(StatusCode::io, path + " cannot be written: " + std::strerror(errno));
    std::remove(beside.c_str());
    return status;
  };
  File file(std::fopen(beside.c_str(), "wb"));
  if (!file) return failed();
  const uint64_t sum = checksum(data.data(), data.size());
  if (std::fwrite(&sum, sizeof sum, 1, file.get()) != 1 ||
      std::fwrite(data.data(), 1, data.size(), file.get()) != data.size() ||
      std::fflush(file.get()) != 0 || ::fsync(::fileno(file.get())) != 0) {
    return failed();
  }
  file.reset();
  return std::rename(beside.c_str(), path.c_str()) == 0 ? Status() : failed();
}

}  // namespace nestling::runtime
