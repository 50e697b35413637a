#include "runtime/tuning.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "runtime/cache_file.h"
#include "runtime/checksum.h"
#include "runtime/kernels.h"

namespace nestling::runtime {
namespace {

constexpr std::array kMethods{ConvMethod::direct, ConvMethod::winograd, ConvMethod::half};
constexpr int kRounds = 3, kRuns = 3;  // each way is measured so often, and so often in a row
// What another way must take at most for it to be worth a difference in the last bits.
constexpr double kGain = 0.97;

// By node, seconds by each method; 0: it was not run so.
using Times = std::vector<std::array<double, kMethods.size()>>;

void add_inference(Engine& engine, const ThreadPool& pool, const float* const* inputs,
                   Times& times) {
  using Clock = std::chrono::steady_clock;
  engine.begin(engine.capacity(), inputs, pool);
  Clock::time_point since = Clock::now();
  while (const NodeSpec* node = engine.next()) {
    const auto n = static_cast<size_t>(node - engine.header().nodes.data());
    if (Status status = engine.step(pool); !status.ok()) break;  // an accelerator's only
    const Clock::time_point now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - since).count();
    double& least = times[n][static_cast<size_t>(engine.methods()[n])];
    if (least == 0 || seconds < least) least = seconds;
    since = now;
  }
  pool.rest();
}

}  // namespace

uint64_t tuning_key(const PackageHeader& header, uint32_t capacity, size_t threads) {
  std::vector<uint64_t> identity{capacity, threads};
  for (uint32_t k = 1; k <= capacity; ++k) identity.push_back(header.segments[k - 1].checksum);
  const char* simd = simd_name();
  identity.push_back(checksum(simd, std::strlen(simd)));
  return checksum(identity.data(), identity.size() * sizeof(uint64_t));
}

std::vector<Tuning::Known> Tuning::read() const {
  const std::string data = read_cache(file_);
  std::vector<Known> known;
  uint64_t head[2];  // a key, and how many methods follow
  for (size_t at = 0; data.size() - at >= sizeof head;) {
    std::memcpy(head, data.data() + at, sizeof head);
    at += sizeof head;
    if (head[1] > data.size() - at) return {};
    Methods& methods = known.emplace_back(Known{head[0], Methods(head[1])}).methods;
    for (ConvMethod& method : methods) {
      const auto index = static_cast<uint8_t>(data[at++]);
      if (index >= kMethods.size()) return {};
      method = kMethods[index];
    }
  }
  return known;
}

const Methods* Tuning::known(uint64_t key) const {
  for (const Known& one : known_) {
    if (one.key == key) return &one.methods;
  }
  return nullptr;
}

Methods Tuning::find(uint64_t key) {
  if (known(key) == nullptr) {
    for (Known& one : read()) {
      if (!one.methods.empty() && known(one.key) == nullptr) known_.push_back(std::move(one));
    }
  }
  const Methods* methods = known(key);
  return methods != nullptr ? *methods : Methods();
}

Status Tuning::keep(uint64_t key, const Methods& methods) {
  known_.push_back({key, methods});
  std::vector<Known> all = read();
  std::erase_if(all, [&](const Known& known) { return known.key == key; });
  all.push_back(known_.back());
  std::string data;
  for (const Known& known : all) {
    const uint64_t head[2] = {known.key, known.methods.size()};
    data.append(reinterpret_cast<const char*>(head), sizeof head);
    data.append(reinterpret_cast<const char*>(known.methods.data()), known.methods.size());
  }
  return write_cache(file_, data);
}

Result<Methods> fastest_methods(Engine& engine, const ThreadPool& pool) {
  const uint32_t capacity = engine.capacity();
  const Methods usual = engine.methods();
  std::vector<std::vector<float>> values;
  std::vector<const float*> inputs;
  for (const uint32_t input : engine.header().inputs) {
    values.emplace_back(element_count(engine.header().shape(input, capacity)), 0.5F);
    inputs.push_back(values.back().data());
  }
  Times times(usual.size());
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Methods> done;
    for (const ConvMethod method : kMethods) {
      const Status status = engine.set_capacity(capacity, Methods(usual.size(), method));
      if (!status.ok()) return status;
      if (std::find(done.begin(), done.end(), engine.methods()) != done.end()) continue;
      done.push_back(engine.methods());
      for (int run = 0; run < kRuns; ++run) add_inference(engine, pool, inputs.data(), times);
    }
  }
  Methods fastest = usual;
  for (size_t n = 0; n < usual.size(); ++n) {
    double most = times[n][static_cast<size_t>(usual[n])] * kGain;
    for (const ConvMethod method : kMethods) {
      const double seconds = times[n][static_cast<size_t>(method)];
      if (seconds == 0 || seconds >= most) continue;
      fastest[n] = method;
      most = seconds;
    }
  }
  return fastest;
}

}  // namespace nestling::runtime
