#include "train/device.h"

#include "support/bars.h"
#include "support/catch.h"
#include "support/half_frozen.h"
#include "support/other_device.h"
#include "support/temporary_folder.h"
#include "support/test_graphs.h"

#include "base/error.h"
#include "graph/zoo.h"
#include "train/evaluate.h"
#include "train/network.h"
#include "train/train.h"

using nestling::Graph;
using nestling::Tensor;

TEST_CASE("every operator computes where the network is") {
  nestling::Random random(5);
  for (const Graph& graph :
       {test::residual_network(1), test::every_op_network(2), test::modern_network(4)}) {
    const Tensor x = test::random_tensor({3, 3, 8, 8}, random);
    const auto result = [&] {
      nestling::Network network(graph);
      return nestling::from_torch(
          network.forward(nestling::to_torch(x), nestling::Network::Mode::evaluate));
    };
    const Tensor expected = result();
    const test::OtherDevice other;
    test::check_same(result(), expected);
  }
}

TEST_CASE("a training on another device ends with the same weights") {
  const TemporaryFolder folder;
  const nestling::Dataset data = test::bars(96);
  const Graph before = nestling::make_model(
      "small", {.classes = 4, .channels = 1, .height = 8, .width = 8, .multiplier = 0.5});
  const auto trained = [&] {
    nestling::TrainOptions options{.epochs = 2, .batch = 32, .learning_rate = 0.05};
    options.augment.flip = true;
    options.teacher_logits = nestling::ask_teacher(before, data, options);
    options.checkpoint = folder / "checkpoint";
    options.masks = test::half_frozen(before);
    nestling::Progress quiet;
    Graph result = nestling::train(before, data, options, quiet);
    std::filesystem::remove(options.checkpoint);
    return result;
  };
  const auto distilled = [&] {  // without labels
    nestling::Dataset images = data;
    images.classes.clear();
    nestling::Progress quiet;
    return nestling::train(before, images,
                           {.epochs = 1, .batch = 32, .learning_rate = 0.05, .teacher = &before},
                           quiet);
  };
  const Graph expected[] = {trained(), distilled()};
  const double accuracy = nestling::accuracy(expected[0], data);
  const test::OtherDevice other;
  const Graph found[] = {trained(), distilled()};
  for (size_t i = 0; i < 2; ++i) test::check_same_weights(found[i], expected[i]);
  CHECK(nestling::accuracy(expected[0], data) == accuracy);
}

TEST_CASE("devices that are not there are refused") {
  const auto said = [](const std::string& name) -> std::string {
    try {
      nestling::use_device(name);
    } catch (const nestling::Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(said("cpu").empty());
  for (const char* name : {"gpu", "", "cuda:", "lazy", "meta"}) {
    CHECK_THAT(said(name), ContainsSubstring("cpu, cuda or cuda:N"));
  }
  if (at::hasCUDA()) {
    CHECK_THAT(said("cuda:99"), ContainsSubstring("there is no device cuda:99"));
  } else {
    CHECK_THAT(said("cuda"), ContainsSubstring("finds no CUDA"));
  }
}
