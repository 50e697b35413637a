#include "measure/early_exit.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "measure/macs.h"
#include "measure/measure.h"
#include "runtime/continuation.h"

namespace nestling {
namespace {

// By capacity, what an answer of it takes that went through all smaller ones.
std::vector<uint64_t> refined_macs(const runtime::PackageHeader& header, uint32_t largest) {
  const auto stages = runtime::stages_of(header, false);
  const std::vector<bool> continued = runtime::continued_stages(header, stages);
  std::vector<uint64_t> macs, below(header.nodes.size(), 0);
  uint64_t sum = 0;
  for (uint32_t k = 1; k <= largest; ++k) {
    const std::vector<uint64_t> all = macs_of(header, k);
    for (size_t s = 0; s < stages.size(); ++s) {
      const uint32_t n = stages[s].node;
      sum += continued[s] ? all[n] - below[n] : all[n];
    }
    below = all;
    macs.push_back(sum);
  }
  return macs;
}

}  // namespace

std::vector<double> probabilities(const runtime::PackageHeader& header,
                                  std::span<const float> outputs) {
  std::vector<double> result(outputs.begin(), outputs.end());
  // Of a softmax's logarithms, as of logits, the softmax is the same again.
  const bool softmax = !header.nodes.empty() && header.nodes.back().op == "softmax";
  if (softmax && header.nodes.back().numbers[1] == 0) return result;
  const double highest = *std::max_element(result.begin(), result.end());
  double sum = 0;
  for (double& p : result) sum += p = std::exp(p - highest);
  for (double& p : result) p /= sum;
  return result;
}

uint32_t answer_early(runtime::Model& model, const float* input, double confidence, float* output) {
  const uint32_t largest = model.capacity();
  const size_t classes = model.output_floats();
  check(model.run_at(1, &input, &output));
  for (uint32_t k = 1;; ++k) {
    const std::vector<double> p = probabilities(model.header(), {output, classes});
    if (k == largest || *std::max_element(p.begin(), p.end()) >= confidence) return k;
    check(model.refine(&output));
  }
}

EarlyExit measure_early_exit(runtime::Model& model, const Dataset& data, double confidence,
                             Progress& progress) {
  using Clock = std::chrono::steady_clock;
  EarlyExit exit;
  exit.confidence = confidence;
  exit.answered.resize(model.capacity(), 0);
  const std::vector<uint64_t> macs = refined_macs(model.header(), model.capacity());
  std::vector<float> output(model.output_floats());
  Clock::duration time{};
  for_each_image(model, data, progress, [&](int64_t, const float* input) {
    const Clock::time_point begin = Clock::now();
    const uint32_t k = answer_early(model, input, confidence, output.data());
    time += Clock::now() - begin;
    ++exit.answered[k - 1];
    exit.mean_macs += static_cast<double>(macs[k - 1]);
    exit.outputs.insert(exit.outputs.end(), output.begin(), output.end());
  });
  const auto images = static_cast<double>(data.size());
  exit.accuracy = accuracy_of(exit.outputs, data);
  exit.mean_macs /= images;
  exit.mean_ms = std::chrono::duration<double, std::milli>(time).count() / images;
  return exit;
}

Json early_exit_json(const EarlyExit& exit) {
  return {{"confidence", exit.confidence},
          {"accuracy", exit.accuracy},
          {"mean_macs", exit.mean_macs},
          {"mean_ms", exit.mean_ms},
          {"answered", exit.answered}};
}

EarlyExit early_exit_of(const Json& json) {
  return {json.at("confidence"), json.at("accuracy"), json.at("mean_macs"), json.at("mean_ms"),
          json.at("answered")};
}

std::string early_exit_table(const std::vector<EarlyExit>& exits) {
  std::string text = "confidence  accuracy  mean MACs   mean ms  images answered by capacity\n";
  for (const EarlyExit& exit : exits) {
    text += fmt::format("{:>8.1f} %  {:6.2f} %  {:7.2f} M  {:8.3f}  {}\n", 100 * exit.confidence,
                        100 * exit.accuracy, exit.mean_macs / 1e6, exit.mean_ms,
                        fmt::join(exit.answered, " "));
  }
  return text;
}

}  // namespace nestling
