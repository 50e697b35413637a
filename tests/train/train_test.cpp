#include "train/train.h"

#include <cmath>

#include "support/bars.h"
#include "support/catch.h"
#include "support/half_frozen.h"
#include "support/temporary_folder.h"
#include "support/test_graphs.h"

#include "base/error.h"
#include "graph/interpreter.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "train/evaluate.h"
#include "train/network.h"
#include "train/statistics.h"

using nestling::Graph;
using nestling::Tensor;

namespace {

nestling::Dataset bars(const char* split = "train") { return test::bars(256, 64, split); }

Graph small_model() {
  return nestling::make_model(
      "small", {.classes = 4, .channels = 1, .height = 8, .width = 8, .multiplier = 0.5});
}

nestling::TrainOptions quick() {
  nestling::prepare_training(1);
  return {.epochs = 2, .batch = 32, .learning_rate = 0.05};
}

}  // namespace

TEST_CASE("a network that ends in a softmax trains, and teaches, as without it") {
  const auto with_softmax = [](Graph graph) {
    const nestling::Shape shape = graph.value(graph.outputs[0]).shape;
    const nestling::ValueId p = graph.add_value("probabilities", shape);
    graph.nodes.push_back({"softmax", nestling::Softmax{}, {graph.outputs[0]}, p});
    graph.outputs = {p};
    return graph;
  };
  const nestling::Dataset data = bars();
  nestling::TrainOptions options = quick();
  options.teacher_weight = 0.5;
  nestling::Progress progress;
  const auto trained = [&](const Graph& graph, const Graph& teacher) {
    options.teacher_logits = nestling::ask_teacher(teacher, data, options);
    return nestling::train(graph, data, options, progress);
  };
  const Graph plain = small_model(), ends = with_softmax(plain);
  const Graph teacher = nestling::train(plain, data, quick(), progress);
  const Graph expected = trained(plain, teacher);
  const Graph found = trained(ends, with_softmax(teacher));
  CHECK(nestling::gives_probabilities(found));
  for (size_t v = 0; v < expected.values.size(); ++v) {
    if (!expected.values[v].constant) continue;
    INFO(expected.values[v].name);
    const std::vector<float>& a = expected.values[v].constant->data;
    const std::vector<float>& b = found.values[v].constant->data;
    REQUIRE(a.size() == b.size());
    for (size_t i = 0; i < a.size(); ++i) REQUIRE(b[i] == Approx(a[i]).margin(1e-3));
  }
}

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
  options.masks = test::half_frozen(before);
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
      options.teacher_logits.plain.push_back(c == (label + 1) % 4 ? 8.0F : 0.0F);
    }
  }
  const Graph student = nestling::train(small_model(), data, options, quiet);
  for (int32_t& label : data.labels) label = (label + 1) % 4;
  CHECK(nestling::accuracy(student, data) > 0.9);
}

TEST_CASE("a mirrored image has a mirrored teacher") {
  const nestling::Dataset data = bars();
  const Graph teacher = small_model();
  nestling::TrainOptions options = quick();
  const auto plain = nestling::ask_teacher(teacher, data, options);
  CHECK(plain.plain == nestling::outputs(teacher, data));
  CHECK(plain.flipped.empty());
  options.augment.flip = true;
  const auto both = nestling::ask_teacher(teacher, data, options);
  CHECK(both.flipped == nestling::outputs(teacher, nestling::mirrored(data)));
  options.teacher_weight = 0;
  CHECK(nestling::ask_teacher(teacher, data, options).plain.empty());
}

TEST_CASE("no step is longer than the clip allows") {
  nestling::Dataset data = bars();
  nestling::Progress quiet;
  nestling::TrainOptions options = quick();
  options.epochs = 1;
  options.batch = data.size();  // one step
  options.weight_decay = 0;
  const auto moved = [&](double clip) {
    options.clip = clip;
    const Graph before = small_model();
    const Graph after = nestling::train(before, data, options, quiet);
    double square = 0;
    for (const nestling::ValueId id : nestling::parameters_of(before)) {
      const auto &old = before.constant(id).data, &now = after.constant(id).data;
      for (size_t i = 0; i < old.size(); ++i) {
        square += std::pow(static_cast<double>(now[i]) - static_cast<double>(old[i]), 2);
      }
    }
    return std::sqrt(square);
  };
  // Nesterov's first step is 1.9 times the gradient; in its middle, the schedule is 0.75 of the
  // rate.
  const double allowed = 1.9 * 0.05 * 0.75 * 0.01;
  CHECK(moved(0) > 2 * allowed);
  CHECK(moved(0.01) == Approx(allowed).epsilon(0.01));
}

TEST_CASE("smoothed labels make a network less sure") {
  const nestling::Dataset data = bars();
  nestling::Progress quiet;
  nestling::TrainOptions options = quick();
  options.epochs = 12;
  const auto margin = [&](double smoothing) {
    options.label_smoothing = smoothing;
    const auto logits =
        nestling::outputs(nestling::train(small_model(), data, options, quiet), data);
    double sum = 0;
    for (size_t n = 0; n < data.labels.size(); ++n) {
      double all = 0;
      for (size_t c = 0; c < 4; ++c) all += std::exp(logits[n * 4 + c]);
      sum += std::exp(logits[n * 4 + static_cast<size_t>(data.labels[n])]) / all;
    }
    return sum / static_cast<double>(data.size());
  };
  CHECK(margin(0) > 0.95);
  CHECK(margin(0.4) < 0.8);  // 0.7 is what it asks for
}

TEST_CASE("a training that diverges begins again at half the rate, and says so") {
  struct Listener : nestling::Progress {
    std::vector<std::string> notes;
    void note(const std::string& sentence) override { notes.push_back(sentence); }
  } listener;
  const nestling::Dataset data = bars();
  nestling::TrainOptions options = quick();
  options.epochs = 1;
  options.learning_rate = 1e30;
  CHECK_THROWS_WITH(nestling::train(small_model(), data, options, listener),
                    ContainsSubstring("even at 0.0625 of the learning rate"));
  REQUIRE(listener.notes.size() == 4);
  CHECK_THAT(listener.notes[0],
             ContainsSubstring("again after epoch 0, at 0.5 of the learning rate"));
  // One that a lower rate saves.
  listener.notes.clear();
  options.learning_rate = 15000;
  options.weight_decay = 1;
  nestling::train(small_model(), data, options, listener);
  CHECK(!listener.notes.empty());
  CHECK(listener.notes.size() < 4);
}

TEST_CASE("running statistics are those of all images, in whatever order a folder has them") {
  nestling::Dataset data = bars();  // made ever brighter, from black to white
  const size_t size = data.pixels.size() / static_cast<size_t>(data.size());
  for (size_t i = 0; i < data.pixels.size(); ++i) {
    data.pixels[i] = static_cast<uint8_t>(i / size * 255 / static_cast<size_t>(data.size() - 1));
  }
  const Graph graph = small_model();
  const nestling::Node& norm =
      *std::find_if(graph.nodes.begin(), graph.nodes.end(), [](const nestling::Node& node) {
        return std::holds_alternative<nestling::BatchNorm>(node.op);
      });
  const nestling::ValueId x = norm.inputs[0];
  const auto expected = nestling::channel_statistics(graph, data, {x}).at(x);
  const Graph after = nestling::with_statistics_of(graph, data, 4);
  const Tensor& mean = after.constant(norm.inputs[3]);
  for (size_t c = 0; c < mean.data.size(); ++c) {
    // The mean of a running mean over batches is off by their spread by a tenth.
    CHECK(mean.data[c] == Approx(expected.mean[c]).margin(0.4 * std::sqrt(expected.variance[c])));
  }
}

TEST_CASE("data that does not fit the network is refused") {
  const Graph graph = nestling::make_model("small", {.classes = 4, .channels = 3});
  CHECK_THROWS_WITH(nestling::accuracy(graph, bars()), ContainsSubstring("takes 3x32x32 images"));
}
