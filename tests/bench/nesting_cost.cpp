// What a capacity of a nested package takes beside the same network packed alone:
//   nesting_cost ARCH MULTIPLIER EXTENT CAPACITIES [THREADS]
// of a network of the zoo with random weights, grown by equal steps of all widths, in multiples
// of 8.
#include <fmt/format.h>

#include "measure/frame.h"
#include "measure/measure.h"
#include "seconds.h"
#include "support/nested_graph.h"
#include "zoo_arguments.h"

#include "base/error.h"
#include "package/package.h"

namespace {

// A model at a capacity, and what its inferences take.
class Timed {
 public:
  Timed(std::string package, uint32_t capacity, int threads)
      : package_(std::move(package)),
        model_(nestling::runtime::Model::open_memory(package_.data(), package_.size(),
                                                     {.threads = threads})) {
    nestling::check(model_.status());
    nestling::check(model_.value().set_capacity(capacity));
  }

  void run() {
    nestling::runtime::Model& model = model_.value();
    const nestling::Frame frame(model);
    nestling::check(model.run(frame.inputs(), frame.outputs()));
    times_.push_back(
        bench::milliseconds([&] { nestling::check(model.run(frame.inputs(), frame.outputs())); }));
  }

  double median() { return nestling::quantile(times_, 0.5); }
  uint64_t arena() { return model_.value().footprint().activation_bytes; }

 private:
  std::string package_;
  nestling::runtime::Result<nestling::runtime::Model> model_;
  std::vector<double> times_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const ZooArguments arguments(argc, argv, 1000);
    const nestling::Graph& graph = arguments.graph;
    nestling::Random random(1);
    const nestling::Graph nested =
        test::nested_graph(graph, nestling::Growth::full, arguments.capacities, random, true, 8);
    const std::string package = nestling::make_package(nested, graph.name);
    uint32_t capacity = 0;
    for (const nestling::Graph& plain : nestling::plain_capacities(nested, graph.name)) {
      ++capacity;
      Timed in(package, capacity, arguments.threads);
      Timed alone(nestling::make_package(plain, graph.name), 1, arguments.threads);
      constexpr int kRuns = 41;
      for (int run = 0; run < kRuns; ++run) {
        in.run();
        alone.run();
      }
      fmt::print("{} capacity {}: {:.3f} ms nested, {:.3f} alone, {:.3f}; arena {} and {} KB\n",
                 argv[1], capacity, in.median(), alone.median(), in.median() / alone.median(),
                 in.arena() / 1000, alone.arena() / 1000);
    }
  } catch (const nestling::Error& error) {
    fmt::print(stderr, "nesting_cost: {}\n", error.what());
    return 1;
  }
}
