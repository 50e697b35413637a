// Pruning without labels: other tasks than classification, and classifiers of unlabelled images.
#include "support/catch.h"
#include "support/schema.h"
#include "support/temporary_folder.h"
#include "support/test_graphs.h"
#include "support/unlabelled.h"

#include "base/error.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "prune/prune.h"
#include "train/agreement.h"

using nestling::Dataset;
using nestling::Graph;

namespace {

nestling::PruneOptions options_for(const std::string& ranking) {
  nestling::PruneOptions options;
  options.ranking = ranking;
  options.training = {.epochs = 10, .batch = 16, .learning_rate = 0.02};
  options.min_accuracy = 0;
  options.max_iterations = 1;
  options.step = 0.5;
  return options;
}

}  // namespace

TEST_CASE("agreement is what it says") {
  const Dataset data = test::unlabelled_images(20);
  const Graph classifier = test::residual_network(1), images = test::super_resolution(1);
  CHECK(nestling::default_agreement(classifier) == "top-1");
  CHECK(nestling::default_agreement(images) == "cosine");
  CHECK(nestling::agreement(classifier, classifier, data, "top-1") == 1);
  CHECK(nestling::agreement(images, images, data, "cosine") == Approx(1));
  CHECK(nestling::agreement(images, test::super_resolution(2), data, "cosine") < 0.9);
  // The opposite in every element: a cosine of -1.
  Graph negative = images;
  auto& weight = negative.constant(nestling::find_value(negative, "conv3.weight"));
  for (float& w : weight.data) w = -w;
  CHECK(nestling::agreement(negative, images, data, "cosine") == Approx(-1));
  CHECK(nestling::difference(negative, images, data) == Approx(4));
  CHECK(nestling::difference(images, images, data) == 0);
  CHECK_THROWS_WITH(nestling::agreement(images, images, data, "top-1"),
                    ContainsSubstring("no single output [N, classes]"));

  const Dataset labelled = nestling::labelled_by(classifier, data);
  CHECK(labelled.classes.size() >= 2);
  CHECK(labelled.classes.size() <= 4);
  for (const int32_t label : labelled.labels) {
    CHECK(static_cast<size_t>(label) < labelled.classes.size());
  }
}

TEST_CASE("a network without classes is pruned by what it did before") {
  const TemporaryFolder folder;
  const Dataset data = test::unlabelled_images(200);
  const Graph graph = test::super_resolution(1);
  nestling::prepare_training(1);
  nestling::Progress quiet;
  for (const std::string ranking : {"l1", "activation"}) {
    INFO(ranking);
    const auto roadmap =
        nestling::prune(graph, data, folder / ranking, options_for(ranking), quiet);
    test::check_schema(nestling::read_file(folder / ranking / "roadmap.json"),
                       "roadmap.schema.json");
    CHECK(roadmap.measure == "cosine");
    CHECK(nestling::read_roadmap(folder / ranking).measure == "cosine");
    CHECK(roadmap.entries[0].accuracy == Approx(1));
    REQUIRE(roadmap.entries.size() == 2);
    CHECK(roadmap.seed().macs <= roadmap.entries[0].macs / 2);
    // Retraining brings it nearer to the model.
    auto untrained = options_for(ranking);
    untrained.training.epochs = 0;
    const auto cut = nestling::prune(graph, data, folder / (ranking + "-cut"), untrained, quiet);
    CHECK(1 - roadmap.seed().accuracy < 0.8 * (1 - cut.seed().accuracy));
  }
  CHECK_THROWS_WITH(
      nestling::prune(graph, data, folder / "trr", options_for("trr"), quiet),
      ContainsSubstring("trr needs labels") && ContainsSubstring("l1, l2, fpgm, bn, activation"));
}

TEST_CASE("a classifier of unlabelled images is ranked by the classes it sees itself") {
  const TemporaryFolder folder;
  const Dataset data = test::unlabelled_images(200);
  nestling::prepare_training(1);
  nestling::Progress quiet;
  const auto roadmap =
      nestling::prune(test::residual_network(1), data, folder / "run", options_for("trr"), quiet);
  CHECK(roadmap.measure == "top-1");
  CHECK(roadmap.entries[0].accuracy == 1);
  CHECK(roadmap.entries.size() == 2);
}
