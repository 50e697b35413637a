// What it costs to come to a capacity by refining instead of running it outright:
//   refine_cost ARCH MULTIPLIER EXTENT CAPACITIES [THREADS]
// of a network of the zoo with random weights, in causal growth by equal steps of all widths.
#include <fmt/format.h>

#include "measure/frame.h"
#include "measure/measure.h"
#include "seconds.h"
#include "support/nested_graph.h"
#include "zoo_arguments.h"

#include "base/error.h"
#include "package/package.h"

int main(int argc, char** argv) {
  try {
    const ZooArguments arguments(argc, argv, 10);
    const nestling::Graph& graph = arguments.graph;
    nestling::Random random(1);
    const std::string package = nestling::make_package(
        test::nested_graph(graph, nestling::Growth::causal, arguments.capacities, random, true),
        graph.name);
    auto opened = nestling::runtime::Model::open_memory(
        package.data(), package.size(), {.threads = arguments.threads, .refinable = true});
    nestling::check(opened.status());
    nestling::runtime::Model& model = opened.value();
    const uint32_t largest = model.header().capacities();
    nestling::check(model.set_capacity(largest));
    const nestling::Frame frame(model);
    constexpr int kRuns = 40;
    // By capacity, outright, and the step to it from the one below.
    std::vector<std::vector<double>> outright(largest), step(largest);
    const auto time = [](std::vector<double>& to, const auto& work) {
      to.push_back(bench::milliseconds([&] { nestling::check(work()); }));
    };
    for (int run = 0; run < kRuns; ++run) {
      for (uint32_t k = largest; k > 0; --k) {
        time(outright[k - 1], [&] { return model.run_at(k, frame.inputs(), frame.outputs()); });
      }
      for (uint32_t k = 2; k <= largest; ++k) {
        time(step[k - 1], [&] { return model.refine(frame.outputs()); });
      }
    }
    double chain = nestling::quantile(outright[0], 0.5);
    fmt::print("{} {}: an arena of {:.2f} MB; capacity 1 takes {:.3f} ms\n", argv[1], argv[2],
               static_cast<double>(model.footprint().activation_bytes) / 1e6, chain);
    for (uint32_t k = 2; k <= largest; ++k) {
      const double alone = nestling::quantile(outright[k - 1], 0.5);
      const double more = nestling::quantile(step[k - 1], 0.5);
      chain += more;
      fmt::print(
          "capacity {}: outright {:.3f} ms, from the one below {:.3f}; from 1 on {:.3f}, "
          "{:.2f} of outright\n",
          k, alone, more, chain, chain / alone);
    }
  } catch (const nestling::Error& error) {
    fmt::print(stderr, "refine_cost: {}\n", error.what());
    return 1;
  }
}
