// What a capacity of a nested package takes beside the same network packed alone:
//   nesting_cost ARCH MULTIPLIER EXTENT CAPACITIES [THREADS]
// of a network of the zoo with random weights, grown by equal steps of all widths, in multiples
// of 8.
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>

#include "measure/frame.h"
#include "measure/measure.h"
#include "support/nested_graph.h"

#include "base/error.h"
#include "graph/zoo.h"
#include "package/package.h"

namespace {

// A model at its largest capacity, or a given one, and what it takes.
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
    const auto begin = std::chrono::steady_clock::now();
    nestling::check(model.run(frame.inputs(), frame.outputs()));
    times_.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
            .count());
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
  if (argc < 5) {
    fmt::print(stderr, "usage: nesting_cost ARCH MULTIPLIER EXTENT CAPACITIES [THREADS]\n");
    return 2;
  }
  try {
    nestling::Random random(1);
    const int64_t extent = std::atoi(argv[3]);
    const nestling::Graph graph = nestling::make_model(
        argv[1],
        {.classes = 1000, .height = extent, .width = extent, .multiplier = std::atof(argv[2])});
    const nestling::Graph nested =
        test::nested_graph(graph, nestling::Growth::full, std::atoi(argv[4]), random, true, 8);
    const std::string package = nestling::make_package(nested, graph.name);
    const int threads = argc > 5 ? std::atoi(argv[5]) : 1;
    uint32_t capacity = 0;
    for (const nestling::Graph& plain : nestling::plain_capacities(nested, graph.name)) {
      ++capacity;
      Timed in(package, capacity, threads);
      Timed alone(nestling::make_package(plain, graph.name), 1, threads);
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
