#include "measure/layers.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "measure/frame.h"
#include "measure/macs.h"
#include "measure/measure.h"

namespace nestling {

LayerTimes measure_layers(runtime::Model& model, int runs) {
  const runtime::PackageHeader& header = model.header();
  const Frame frame(model);
  LayerTimes times;
  for (int i = -std::max(3, runs / 10); i < runs; ++i) {
    std::vector<runtime::LayerTime> layers;
    check(model.run(frame.inputs(), frame.outputs(), layers));
    if (i >= 0) times.runs.push_back(std::move(layers));
  }
  const std::vector<uint64_t> macs = macs_of(header, model.capacity());
  for (size_t i = 0; i < times.runs[0].size(); ++i) {
    const uint32_t n = times.runs[0][i].node;
    const runtime::NodeSpec& node = header.nodes[n];
    std::vector<double> ms;
    ms.reserve(times.runs.size());
    for (const auto& run : times.runs) ms.push_back(1000 * (run[i].end_s - run[i].begin_s));
    times.layers.push_back({node.op,
                            header.shape(node.output, model.capacity()),
                            {node.kernel.begin(), node.kernel.end()},
                            {node.stride.begin(), node.stride.end()},
                            macs[n],
                            quantile(ms, 0.5)});
  }
  return times;
}

Json layers_json(const LayerTimes& times) {
  Json layers = Json::array();
  for (const LayerProfile& layer : times.layers) {
    layers.push_back({{"op", layer.op},
                      {"shape", layer.shape},
                      {"kernel", layer.kernel},
                      {"stride", layer.stride},
                      {"macs", layer.macs},
                      {"median_ms", layer.median_ms}});
  }
  return layers;
}

std::string layers_table(const LayerTimes& times) {
  double total = 0;
  for (const LayerProfile& layer : times.layers) total += layer.median_ms;
  std::string text = fmt::format("{:<15} {:<16} {:<8} {:>9} {:>8} {:>8} {:>7}\n", "layer", "output",
                                 "window", "MMACs", "ms", "GMAC/s", "share");
  for (const LayerProfile& layer : times.layers) {
    const bool window = layer.kernel[0] * layer.kernel[1] > 1 || layer.stride[0] > 1;
    const double mmacs = static_cast<double>(layer.macs) / 1e6;
    text += fmt::format(
        "{:<15} {:<16} {:<8} {:>9} {:>8.3f} {:>8} {:>5.1f} %\n", layer.op,
        fmt::format("{}", fmt::join(layer.shape, "x")),
        window ? fmt::format("{}/{}", fmt::join(layer.kernel, "x"), layer.stride[0]) : "",
        layer.macs > 0 ? fmt::format("{:.3f}", mmacs) : "", layer.median_ms,
        layer.macs > 0 ? fmt::format("{:.1f}", mmacs / layer.median_ms) : "",
        total > 0 ? 100 * layer.median_ms / total : 0);
  }
  return text + fmt::format("{:<15} {:<16} {:<8} {:>9} {:>8.3f}\n", "all", "", "", "", total);
}

Json trace_json(const LayerTimes& times) {
  Json events = Json::array();
  double start = 0;  // of the inference, in seconds
  for (const auto& run : times.runs) {
    for (size_t i = 0; i < run.size(); ++i) {
      const LayerProfile& layer = times.layers[i];
      const std::string shape = fmt::format("{}", fmt::join(layer.shape, "x"));
      events.push_back({{"name", layer.op + " " + shape},
                        {"cat", layer.op},
                        {"ph", "X"},
                        {"ts", 1e6 * (start + run[i].begin_s)},
                        {"dur", 1e6 * (run[i].end_s - run[i].begin_s)},
                        {"pid", 1},
                        {"tid", 1},
                        {"args", {{"node", run[i].node}, {"macs", layer.macs}}}});
    }
    if (!run.empty()) start += run.back().end_s;
  }
  return {{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}};
}

}  // namespace nestling
