// IDX files, the format of MNIST and its kin (http://yann.lecun.com/exdb/mnist), plain or gzipped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace nestling {

// An array of bytes: `data` is row-major, its size the product of `shape`.
struct IdxArray {
  std::vector<int64_t> shape;
  std::vector<uint8_t> data;
};

// Reads an IDX file of unsigned bytes with 1 to 4 dimensions. Throws Error naming the file if it is
// something else, cut short, longer than its header says, or over 4 GB unpacked.
IdxArray read_idx(const std::filesystem::path& path);

}  // namespace nestling
