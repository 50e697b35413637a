#include "train/train.h"

#include "support/catch.h"
#include "support/temporary_folder.h"
#include "support/test_dataset.h"
#include "support/test_graphs.h"

#include "base/error.h"
#include "graph/interpreter.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "train/network.h"

using nestling::Graph;
using nestling::Tensor;

namespace {

nestling::Dataset bars(const char* split = "train") {
  const TemporaryFolder folder;
  test::write_dataset(folder / "bars", 256, 64);
  return nestling::load_dataset((folder / "bars").string(), split);
}

Graph small_model() {
  return nestling::make_model(
      "small", {.classes = 4, .channels = 1, .height = 8, .width = 8, .multiplier = 0.5});
}

nestling::TrainOptions quick() {
  nestling::prepare_training(1);
  return {.epochs = 2, .batch = 32, .learning_rate = 0.05};
}

}  // namespace

TEST_CASE("LibTorch computes what the interpreter computes") {
  nestling::Random random(5);
  for (const Graph& graph :
       {test::residual_network(1), test::every_op_network(2), test::modern_network(4)}) {
    const Tensor x = test::random_tensor({3, 3, 8, 8}, random);
    const std::vector<Tensor> expected = nestling::interpret_all(graph, {x});
    nestling::Network network(graph);
    size_t seen = 0;
    network.forward(nestling::to_torch(x), nestling::Network::Mode::evaluate,
                    [&](nestling::ValueId id, const at::Tensor& y) {
                      INFO(graph.value(id).name);
                      const Tensor& e = expected[static_cast<size_t>(id)];
                      const Tensor found = nestling::from_torch(y);
                      REQUIRE(found.shape == e.shape);
                      for (size_t i = 0; i < e.data.size(); ++i) {
                        REQUIRE(found.data[i] == Approx(e.data[i]).epsilon(1e-4).margin(1e-4));
                      }
                      ++seen;
                    });
    CHECK(seen == graph.nodes.size());
  }
}

TEST_CASE("training learns, and the same seed gives the same bytes") {
  const nestling::Dataset data = bars();
  nestling::Progress quiet;
  const Graph untrained = small_model();
  nestling::TrainOptions options = quick();
  options.epochs = 6;
  const Graph trained = nestling::train(untrained, data, options, quiet);
  CHECK(nestling::accuracy(untrained, bars("test")) < 0.6);
  CHECK(nestling::accuracy(trained, bars("test")) > 0.95);
  CHECK(nestling::export_onnx(nestling::train(untrained, data, options, quiet)) ==
        nestling::export_onnx(trained));
  options.seed = 2;
  CHECK(nestling::export_onnx(nestling::train(untrained, data, options, quiet)) !=
        nestling::export_onnx(trained));
}

TEST_CASE("frozen entries keep their bits, the others change") {
  const Graph before = small_model();
  nestling::TrainOptions options = quick();
  // Half of the filters of the second convolution, and of its batch norm, are frozen.
  for (const char* name : {"conv2.weight", "conv2.bn.scale", "conv2.bn.shift"}) {
    const nestling::ValueId id = nestling::find_value(before, name);
    Tensor mask = before.constant(id);
    for (size_t i = 0; i < mask.data.size(); ++i) {
      mask.data[i] = i < mask.data.size() / 2 ? 0.0F : 1.0F;
    }
    options.masks[id] = mask;
  }
  nestling::Progress quiet;
  const Graph after = nestling::train(before, bars(), options, quiet);
  for (const char* name :
       {"conv2.weight", "conv2.bn.scale", "conv2.bn.shift", "conv2.bn.mean", "conv2.bn.variance"}) {
    INFO(name);
    const auto id = nestling::find_value(before, name);
    const std::vector<float>&old = before.constant(id).data, &now = after.constant(id).data;
    const auto half = static_cast<std::ptrdiff_t>(old.size() / 2);
    CHECK(std::equal(old.begin(), old.begin() + half, now.begin()));
    CHECK(!std::equal(old.begin() + half, old.end(), now.begin() + half));
  }
}

TEST_CASE("a student follows its teacher rather than the labels") {
  nestling::Dataset data = bars();
  nestling::Progress quiet;
  nestling::TrainOptions options = quick();
  options.epochs = 6;
  options.teacher_weight = 1;
  // A teacher that is sure of the next class.
  for (const int32_t label : data.labels) {
    for (int32_t c = 0; c < 4; ++c) {
      options.teacher_outputs.plain.push_back(c == (label + 1) % 4 ? 8.0F : 0.0F);
    }
  }
  const Graph student = nestling::train(small_model(), data, options, quiet);
  for (int32_t& label : data.labels) label = (label + 1) % 4;
  CHECK(nestling::accuracy(student, data) > 0.9);
}

TEST_CASE("data that does not fit the network is refused") {
  const Graph graph = nestling::make_model("small", {.classes = 4, .channels = 3});
  CHECK_THROWS_WITH(nestling::accuracy(graph, bars()), ContainsSubstring("takes 3x32x32 images"));
}
