#include "data/npy.h"

#include <cstring>
#include <fmt/ranges.h>
#include <regex>

#include "base/error.h"

namespace nestling {
namespace {
constexpr std::string_view kMagic("\x93NUMPY", 6);
}  // namespace

NpyArray parse_npy(std::string_view bytes, const std::string& where) {
  if (bytes.size() < 10 || bytes.substr(0, 6) != kMagic || bytes[6] < 1 || bytes[6] > 3) {
    fail("{} is not a NumPy file", where);
  }
  // The length of the header has two bytes in version 1, four later.
  const size_t begin = bytes[6] == 1 ? 10 : 12;
  size_t length = 0;
  for (size_t i = begin; i-- > 8 && begin <= bytes.size();) {
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  }
  if (begin > bytes.size() || length > bytes.size() - begin || length > 4096) {
    fail("{} has a damaged header", where);
  }
  const std::string header(bytes.substr(begin, length));
  std::smatch found;
  if (header.find("'descr': '<f4'") == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos ||
      !std::regex_search(header, found, std::regex(R"('shape': \(([0-9, ]*)\))"))) {
    fail("{} is not an array of float32 in C order", where);
  }
  NpyArray array;
  const std::string shape = found[1];
  const std::regex number("[0-9]+");
  uint64_t count = 1;
  for (std::sregex_iterator at(shape.begin(), shape.end(), number), end; at != end; ++at) {
    if (at->str().size() > 9) fail("{} has a size out of range", where);
    array.shape.push_back(std::stoll(at->str()));
    count *= static_cast<uint64_t>(array.shape.back());
    if (count > bytes.size()) fail("{} is cut short", where);
  }
  const std::string_view data = bytes.substr(begin + length);
  if (data.size() != count * sizeof(float)) fail("{} is not as long as its shape says", where);
  array.data.resize(count);
  if (count > 0) std::memcpy(array.data.data(), data.data(), data.size());
  return array;
}

std::string npy_bytes(const NpyArray& array) {
  const char* comma = array.shape.size() == 1 ? "," : "";
  std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{}), }}",
                                   fmt::join(array.shape, ", "), comma);
  header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes +=
      {'\x01', '\0', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(array.data.data()), array.data.size() * sizeof(float));
  return bytes;
}

}  // namespace nestling
