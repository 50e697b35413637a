// Runs a package at every capacity, up and down, with one thread and several, and compares with the
// outputs that the host has computed: device_test FOLDER/MODEL. Needs the runtime alone, so that it
// runs on any device.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "runtime/model.h"

using nestling::runtime::Model;

namespace {

std::vector<float> read_floats(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::copy_n(bytes.data(), floats.size() * sizeof(float), reinterpret_cast<char*>(floats.data()));
  return floats;
}

int failure(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return failure("usage: device_test FOLDER/MODEL");
  const std::string name = argv[1];
  const std::vector<float> input = read_floats(name + ".input");
  for (const int threads : {1, 3}) {
    auto opened = Model::open((name + ".nest").c_str(), {.threads = threads});
    if (!opened.ok()) return failure(opened.status().text());
    Model& model = opened.value();
    if (model.input_floats() != input.size()) return failure("the input does not fit");
    std::vector<float> output(model.output_floats());
    for (const uint32_t capacity : {1U, 3U, 2U, 3U, 1U}) {
      const std::vector<float> expected = read_floats(name + "." + std::to_string(capacity));
      if (expected.size() != output.size()) return failure("the output does not fit");
      if (auto status = model.set_capacity(capacity); !status.ok()) return failure(status.text());
      if (auto status = model.run(input.data(), output.data()); !status.ok()) {
        return failure(status.text());
      }
      float largest = 0, difference = 0;
      for (size_t i = 0; i < expected.size(); ++i) {
        largest = std::max(largest, std::abs(expected[i]));
        difference = std::max(difference, std::abs(expected[i] - output[i]));
      }
      std::printf("capacity %u, %d threads: %.1e\n", capacity, threads,
                  static_cast<double>(difference / largest));
      if (!(difference <= 1e-4F * largest)) return failure("the outputs differ");
    }
  }
  return 0;
}
