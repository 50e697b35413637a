// Capacities that are trained together.
#include "recover/joint.h"

#include "support/bars.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/temporary_folder.h"

#include "graph/onnx.h"
#include "graph/zoo.h"
#include "train/evaluate.h"

using nestling::Graph;
using nestling::Growth;
using nestling::Nesting;
using nestling::Tensor;
using nestling::TrainOptions;

namespace {

struct Bars {
  TemporaryFolder folder;
  nestling::Dataset data = test::bars(320);
  nestling::Progress quiet;
};

Graph network(const std::string& name) {
  return nestling::make_model(name, {.classes = 4, .channels = 1, .height = 8, .width = 8});
}

// Random widths and weights.
std::vector<Graph> descendants(const Graph& graph, int capacities, Nesting& nesting) {
  nestling::Random random(5);
  const Graph nested = test::nested_graph(graph, Growth::joint, capacities, random);
  nesting = nestling::nesting_of(nested, "nested");
  std::vector<Graph> all;
  for (int k = 1; k <= capacities; ++k) all.push_back(nestling::descend(nested, nesting, k));
  return all;
}

// Where a joint training begins.
Graph joined(int capacities, Nesting& nesting) {
  const std::vector<Graph> all = descendants(network("small"), capacities, nesting);
  return nestling::join(all, nesting);
}

TrainOptions options(int epochs) {
  return {.epochs = epochs, .batch = 32, .learning_rate = 0.05, .augment = {.crop = true}};
}

}  // namespace

TEST_CASE("with one capacity, training together is training") {
  Bars bars;
  Graph graph = network("resnet20");
  Nesting nesting;
  nesting.growth = Growth::joint;
  nesting.own = nestling::own_constants(graph, Growth::joint);
  nesting.accuracy = {0};
  for (const auto& group : nestling::find_groups(graph).groups) {
    if (!group.fixed) nesting.groups.push_back({group.name, {group.width}});
  }
  const Graph joint =
      nestling::train_joint(nestling::nest({graph}, nesting), bars.data, options(1), bars.quiet);
  const Graph alone = nestling::train(graph, bars.data, options(1), bars.quiet);
  CHECK(nestling::export_onnx(nestling::descend(joint, nesting, 1)) ==
        nestling::export_onnx(alone));
}

TEST_CASE("what is joined has each weight from the smallest capacity that has it") {
  // A chain, one with sums, and one whose channels are concatenated.
  for (const char* name : {"small", "resnet20", "squeezenet1_1"}) {
    INFO(name);
    Nesting nesting;
    std::vector<Graph> all = descendants(network(name), 3, nesting);
    const std::set<std::string> own(nesting.own.begin(), nesting.own.end());
    for (size_t k = 0; k < all.size(); ++k) {
      for (nestling::Value& value : all[k].values) {
        if (!value.constant) continue;
        std::fill(value.constant->data.begin(), value.constant->data.end(),
                  static_cast<float>(k + 1));
      }
    }
    const Graph joined = nestling::join(all, nesting);
    for (size_t k = 0; k < all.size(); ++k) {
      const Graph one = nestling::descend(joined, nesting, static_cast<int>(k + 1));
      int looked = 0;
      for (const nestling::Value& value : one.values) {
        if (!value.constant) continue;
        const auto mine = static_cast<float>(k + 1);
        for (const float x : value.constant->data) {
          const bool right = own.contains(value.name) ? x == mine : x <= mine;
          if (!right) FAIL(value.name << " of capacity " << k + 1 << " has " << x);
        }
        ++looked;
      }
      CHECK(looked > 10);
      // The smallest is as it was.
      if (k == 0) CHECK(nestling::export_onnx(one) == nestling::export_onnx(all[0]));
    }
  }
}

TEST_CASE("capacities learn together, and share what they share") {
  Bars bars;
  Nesting nesting;
  const Graph start = joined(5, nesting);
  TrainOptions training = options(8);
  const Graph trained = nestling::train_joint(start, bars.data, training, bars.quiet);
  std::vector<Graph> all;
  for (int k = 1; k <= 5; ++k) {
    all.push_back(nestling::descend(trained, nesting, k));
    const double before = nestling::accuracy(nestling::descend(start, nesting, k), bars.data);
    const double after = nestling::accuracy(all.back(), bars.data);
    INFO("capacity " << k << ": " << before << ", then " << after);
    CHECK(after > 0.7);
    CHECK(before < 0.6);
  }
  // The largest, cut to each size, is that size, but for what is its own.
  CHECK(nestling::export_onnx(nestling::nest(all, nesting)) == nestling::export_onnx(trained));
  CHECK(nestling::export_onnx(nestling::join(all, nesting)) == nestling::export_onnx(trained));
}

TEST_CASE("a joint training that is stopped goes on and ends with the same bytes") {
  Bars bars;
  Nesting nesting;
  const Graph start = joined(3, nesting);
  TrainOptions training = options(3);
  const Graph whole = nestling::train_joint(start, bars.data, training, bars.quiet);
  struct Stop : nestling::Progress {
    int64_t at = 0;
    void update(int64_t done, const std::string& /*detail*/) override {
      if (done == at) throw std::runtime_error("stopped");
    }
  } stop;
  stop.at = 25;  // of 30 steps
  training.checkpoint = bars.folder / "checkpoint";
  CHECK_THROWS_WITH(nestling::train_joint(start, bars.data, training, stop), "stopped");
  const Graph again = nestling::train_joint(start, bars.data, training, bars.quiet);
  CHECK(nestling::export_onnx(again) == nestling::export_onnx(whole));
}
