// Runs a package at every capacity, up and down, with one thread and several, and as applications
// of a host, and compares with the outputs that the building machine has computed: device_test
// FOLDER/MODEL. Where convolutions are computed in float16, outputs must differ, but less than a
// hundredth. Needs the runtime alone, so that it runs on any device.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>
#include <vector>

#include "runtime/host.h"
#include "runtime/model.h"

namespace rt = nestling::runtime;

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

// Whether outputs are those that were computed elsewhere, but for the largest difference against
// the largest of them.
bool good(const std::string& name, uint32_t capacity, const std::vector<float>& output,
          rt::WeightType arithmetic) {
  const std::vector<float> expected = read_floats(name + "." + std::to_string(capacity));
  if (expected.size() != output.size() || expected.empty()) return false;
  float largest = 0, most = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    most = std::max(most, std::abs(expected[i] - output[i]));
  }
  std::printf("capacity %u: %.1e\n", capacity, static_cast<double>(most / largest));
  const float difference = most / largest;
  if (arithmetic == rt::WeightType::float16) return difference > 1e-5F && difference < 1e-2F;
  return difference <= 1e-4F;
}

// Two applications of the package beside each other: computed right, and one that loses its file
// fails without the other.
int share(const std::string& name, const std::vector<float>& input, rt::WeightType arithmetic) {
  const std::string copy = "device-test-" + std::to_string(::getpid()) + ".nest";
  {
    std::ifstream from(name + ".nest", std::ios::binary);
    std::ofstream(copy, std::ios::binary) << from.rdbuf();
  }
  rt::Application goals;
  goals.name = name;
  for (const double k : {1.0, 2.0, 3.0}) goals.capacities.push_back({k / 4, k / 100, 1, 0});
  auto made = rt::Host::make({.device = {1U << 30}, .threads = 2, .watch_memory = false});
  if (!made.ok()) return failure(made.status().text());
  rt::Host& host = *made.value();
  auto kept = host.add((name + ".nest").c_str(), goals), bad = host.add(copy.c_str(), goals);
  if (!kept.ok() || !bad.ok()) return failure("a package cannot be added");
  const float* inputs = input.data();
  for (const rt::ApplicationId id : {kept.value(), bad.value()}) {
    const rt::Frame frame = host.submit(id, &inputs).get();
    if (!frame.status.ok()) return failure(frame.status.text());
    if (!good(name, static_cast<uint32_t>(frame.capacity), frame.outputs[0], arithmetic)) {
      return failure("the outputs of an application differ");
    }
  }
  // An emulated 32-bit machine is told an address of the emulator's, not its own, by SIGBUS.
  if constexpr (sizeof(void*) > 4) {
    std::filesystem::resize_file(copy, 20000);
    const rt::Frame lost = host.submit(bad.value(), &inputs).get();
    if (lost.status.code() != rt::StatusCode::io) return failure("a lost package is not noticed");
  }
  std::filesystem::remove(copy);
  const rt::Frame frame = host.submit(kept.value(), &inputs).get();
  return frame.status.ok() ? 0 : failure(frame.status.text());
}

// Refined from the smallest capacity on, answers have the bits of inferences.
int refine(const std::string& name, const std::vector<float>& input) {
  auto opened = rt::Model::open((name + ".nest").c_str(), {.threads = 2, .refinable = true});
  if (!opened.ok()) return failure(opened.status().text());
  rt::Model& model = opened.value();
  const uint32_t largest = model.header().capacities();
  if (auto status = model.set_capacity(largest); !status.ok()) return failure(status.text());
  std::vector<float> whole(model.output_floats()), refined(whole.size());
  const float* inputs = input.data();
  float *to_whole = whole.data(), *to_refined = refined.data();
  rt::Status status = model.run_at(largest, &inputs, &to_whole);
  if (status.ok()) status = model.run_at(1, &inputs, &to_refined);
  for (uint32_t k = 2; k <= largest && status.ok(); ++k) status = model.refine(&to_refined);
  if (!status.ok()) return failure(status.text());
  return refined == whole ? 0 : failure("a refined answer differs");
}

// A package that lies behind what a signed number of 32 bits can count (of more, an emulator of
// such processors may lose the rest), in a file of others' data.
int run_far(const std::string& name, const std::vector<float>& input, rt::WeightType arithmetic) {
  constexpr std::streamoff kFar = std::streamoff{3} << 30;
  const std::string asset = "device-test-" + std::to_string(::getpid()) + ".asset";
  const auto bytes = static_cast<uint64_t>(std::filesystem::file_size(name + ".nest"));
  {
    std::ifstream from(name + ".nest", std::ios::binary);
    std::ofstream to(asset, std::ios::binary);  // with a hole, so that it takes no more of the disk
    to.seekp(kFar) << from.rdbuf();
  }
  const int descriptor = ::open(asset.c_str(), O_RDONLY | O_CLOEXEC);
  std::filesystem::remove(asset);
  if (descriptor < 0) return failure("a large file cannot be opened");
  auto opened = rt::Model::open_descriptor(descriptor, kFar, bytes, {});
  ::close(descriptor);
  if (!opened.ok()) return failure(opened.status().text());
  rt::Model& model = opened.value();
  std::vector<float> output(model.output_floats());
  rt::Status status = model.set_capacity(2);
  if (status.ok()) status = model.run(input.data(), output.data());
  if (!status.ok()) return failure(status.text());
  return good(name, 2, output, arithmetic) ? 0 : failure("the outputs of an asset differ");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return failure("usage: device_test FOLDER/MODEL");
  const std::string name = argv[1];
  const std::vector<float> input = read_floats(name + ".input");
  rt::WeightType arithmetic{};
  bool causal = false;
  for (const int threads : {1, 3}) {
    auto opened = rt::Model::open((name + ".nest").c_str(), {.threads = threads});
    if (!opened.ok()) return failure(opened.status().text());
    rt::Model& model = opened.value();
    arithmetic = model.arithmetic();
    causal = model.header().causal;
    if (model.input_floats() != input.size()) return failure("the input does not fit");
    std::vector<float> output(model.output_floats());
    for (const uint32_t capacity : {1U, 3U, 2U, 3U, 1U}) {
      if (auto status = model.set_capacity(capacity); !status.ok()) return failure(status.text());
      if (auto status = model.run(input.data(), output.data()); !status.ok()) {
        return failure(status.text());
      }
      if (!good(name, capacity, output, arithmetic)) return failure("the outputs differ");
    }
  }
  if (causal && refine(name, input) != 0) return 1;
  if (run_far(name, input, arithmetic) != 0) return 1;
  return share(name, input, arithmetic);
}
