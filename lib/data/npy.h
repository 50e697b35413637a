// NumPy's array files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nestling {

struct NpyArray {
  std::vector<int64_t> shape;
  std::vector<float> data;  // row-major
};

// Parses the bytes of a .npy file of little-endian float32 in C order. `where` names the file in
// the Error that is thrown if it is anything else.
NpyArray parse_npy(std::string_view bytes, const std::string& where);

// The bytes of a version 1.0 file.
std::string npy_bytes(const NpyArray& array);

}  // namespace nestling
