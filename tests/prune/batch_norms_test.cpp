// Networks whose exporter folded their batch norms.
#include "graph/batch_norms.h"

#include "support/catch.h"
#include "support/temporary_folder.h"
#include "support/test_graphs.h"
#include "support/unlabelled.h"

#include "graph/interpreter.h"
#include "graph/onnx.h"
#include "package/package.h"
#include "prune/prune.h"
#include "train/statistics.h"

using nestling::Graph;
using nestling::Tensor;

namespace {

int64_t norms(const Graph& graph) {
  return std::count_if(graph.nodes.begin(), graph.nodes.end(), [](const nestling::Node& node) {
    return std::holds_alternative<nestling::BatchNorm>(node.op);
  });
}

void check_same(const Graph& a, const Graph& b) {
  nestling::Random random(9);
  const Tensor x = test::random_tensor({2, 3, 8, 8}, random);
  const auto expected = nestling::interpret(a, x).at(0).data,
             found = nestling::interpret(b, x).at(0).data;
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == Approx(expected[i]).epsilon(1e-4).margin(1e-4));
  }
}

}  // namespace

TEST_CASE("batch norms are folded into layers, and come back where there are none") {
  for (const Graph& graph :
       {test::residual_network(1), test::chain_network(3), test::modern_network(4)}) {
    REQUIRE(norms(graph) > 0);
    CHECK(nestling::without_batch_norm(graph).empty());  // it has some: left as it is
    const Graph folded = nestling::fold_batch_norms(graph);
    CHECK(norms(folded) == 0);
    check_same(graph, folded);

    const auto values = nestling::without_batch_norm(folded);
    CHECK(!values.empty());
    const auto statistics =
        nestling::channel_statistics(folded, test::unlabelled_images(20), values);
    const Graph again = nestling::add_batch_norms(folded, statistics);
    CHECK(norms(again) == std::ssize(values));
    CHECK(nestling::has_added_batch_norms(again));
    check_same(graph, again);
    check_same(graph, nestling::import_onnx(nestling::export_onnx(again), "again"));
    CHECK(nestling::has_added_batch_norms(
        nestling::import_onnx(nestling::export_onnx(again), "again")));
    check_same(graph, nestling::fold_batch_norms(again));
  }
}

TEST_CASE("statistics are those of the images") {
  test::Builder b(2);
  const auto y = b.conv("conv", b.input(), 5, {.kernel = {3, 3}, .padding = {1, 1, 1, 1}});
  const Graph graph = b.finish(b.node("relu", nestling::kRelu, {y}));
  const auto data = test::unlabelled_images(120);  // several batches
  const auto found = nestling::channel_statistics(graph, data, {y}).at(y);
  std::vector<int64_t> all(120);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  const auto values =
      nestling::interpret_all(graph, {Tensor{{120, 3, 8, 8}, nestling::normalised(data, all)}});
  const Tensor& maps = values[static_cast<size_t>(y)];
  for (size_t c = 0; c < 5; ++c) {
    double sum = 0, squares = 0;
    for (size_t n = 0; n < 120; ++n) {
      for (size_t p = 0; p < 64; ++p) sum += maps.data[(n * 5 + c) * 64 + p] / (120.0 * 64);
    }
    for (size_t n = 0; n < 120; ++n) {
      for (size_t p = 0; p < 64; ++p) squares += std::pow(maps.data[(n * 5 + c) * 64 + p] - sum, 2);
    }
    CHECK(found.mean[c] == Approx(sum).margin(1e-5));
    CHECK(found.variance[c] == Approx(squares / (120.0 * 64)).epsilon(1e-4));
  }
}

TEST_CASE("a folded model is trained with batch norms and comes out without") {
  const TemporaryFolder folder;
  nestling::prepare_training(1);
  nestling::Progress quiet;
  nestling::PruneOptions options;
  options.ranking = "l1";
  options.min_accuracy = -1;
  options.max_iterations = 1;
  options.training = {.epochs = 1, .batch = 16, .learning_rate = 0.01};
  const Graph folded = nestling::fold_batch_norms(test::chain_network(3));
  for (const bool rebatchnorm : {true, false}) {
    INFO(rebatchnorm);
    options.rebatchnorm = rebatchnorm;
    const auto run = folder / (rebatchnorm ? "with" : "without");
    const auto roadmap = nestling::prune(folded, test::unlabelled_images(60), run, options, quiet);
    REQUIRE(roadmap.entries.size() == 2);
    const Graph pruned = nestling::load_onnx(run / roadmap.entries[1].model);
    CHECK(norms(pruned) == (rebatchnorm ? 3 : 0));
    const std::string bytes =
        nestling::export_onnx(nestling::plain_capacities(pruned, "pruned").at(0));
    const Graph file = nestling::import_onnx(bytes, "file");
    CHECK(norms(file) == 0);
    check_same(pruned, file);
  }
}
