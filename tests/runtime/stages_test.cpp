// Which nodes become one, and which must not.
#include "runtime/stages.h"

#include "runtime/model.h"
#include "support/capacities.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/rounded_graph.h"
#include "support/temporary_folder.h"
#include "support/test_graphs.h"

#include "base/file.h"
#include "graph/interpreter.h"
#include "package/package.h"

using nestling::Graph;
using nestling::Growth;
using nestling::Unary;
using namespace nestling::runtime;
using test::Builder;

namespace {

// How many stages of the package do each thing; the package computes what the graph does.
struct Counted {
  size_t stages = 0, pairs = 0, adds = 0, multiplies = 0;

  explicit Counted(const Graph& graph, int threads = 2, WeightType weights = WeightType::float32) {
    nestling::Random random(5);
    const Graph nested = test::rounded_graph(test::nested_graph(graph, Growth::full, 2, random));
    const TemporaryFolder folder;
    nestling::write_file(folder / "model.nest", nestling::make_package(nested, "test", {weights}));
    auto opened = Model::open((folder / "model.nest").c_str(), {.threads = threads});
    REQUIRE(opened.ok());
    Model& model = opened.value();
    for (const Stage& stage : stages_of(model.header(), true)) {
      ++stages;
      pairs += stage.depthwise.has_value();
      adds += stage.then == Then::add;
      multiplies += stage.then == Then::multiply;
    }
    nestling::Shape shape = nested.value(nested.inputs[0]).shape;
    shape[0] = 1;
    const nestling::Tensor image = test::random_tensor(shape, random);
    test::check_capacities(model, nested, image);
  }
};

}  // namespace

TEST_CASE("a residual is added, and clamped, where the convolution's sums are") {
  const Counted counted(test::residual_network(1));
  CHECK(counted.adds == 1);
  CHECK(counted.stages == 7);  // 4 convolutions, a pooling, 2 layers over all
}

TEST_CASE("an addend that comes later, or that others see, is added by itself") {
  Builder b(2);
  const auto left = b.conv3x3("left", b.input(), 6);
  const auto right = b.conv3x3("right", b.input(), 6);
  const auto sum = b.node("sum", nestling::kAdd, {left, right});  // taken in by the second
  const auto again = b.node("again", nestling::kAdd, {sum, right});
  const auto clamped = b.node("relu", nestling::kRelu, {b.conv3x3("last", again, 6)});
  const auto late = b.node("late", nestling::kAdd, {clamped, again});
  const auto flat = b.node("flatten", nestling::flatten(), {late});
  const Counted counted(b.finish(b.gemm("head", flat, 4)));
  // `right` is seen twice, `left` comes first, and `last` is clamped before anything is added.
  CHECK(counted.adds == 0);
}

TEST_CASE("x sigmoid(x) is one pass over x") {
  Builder b(3);
  const auto x = b.conv3x3("conv1", b.input(), 6);
  const auto gate = b.node("gate", Unary{Unary::Function::sigmoid}, {x});
  const auto swish = b.node("swish", nestling::kMul, {x, gate});
  const auto y = b.conv3x3("conv2", swish, 6);
  const auto other = b.node("other", Unary{Unary::Function::sigmoid}, {y});
  const auto mixed = b.node("mixed", nestling::kMul, {other, swish});  // of another's sigmoid
  const auto flat = b.node("flatten", nestling::flatten(), {mixed});
  const Counted counted(b.finish(b.gemm("head", flat, 4)));
  CHECK(counted.multiplies == 1);
}

TEST_CASE("a depthwise convolution that only a 1x1 convolution reads is computed in parts") {
  Builder b(4, {nestling::kBatch, 3, 29, 31});
  const auto depthwise = [&](const std::string& name, nestling::ValueId x, int64_t kernel,
                             int64_t dilation = 1) {
    const int64_t pad = dilation * (kernel / 2);
    return b.conv(name, x, b.channels(x),
                  {.kernel = {kernel, kernel},
                   .dilation = {dilation, dilation},
                   .padding = {pad, pad, pad, pad}},
                  true, b.channels(x));
  };
  const auto stem = b.conv3x3("stem", b.input(), 20);
  // Clamped, and behind it a sum with what both begin with.
  const auto clamped =
      b.node("clip", nestling::clip(0, 1), {b.batch_norm("bn", depthwise("dw1", stem, 3))});
  const auto sum = b.node("sum", nestling::kAdd, {b.conv("pw1", clamped, 20, {}), stem});
  // Of a part of what is joined, into another.
  const auto left = b.conv("pw2", depthwise("dw2", sum, 5), 7, {});
  const auto right = b.conv("pw3", depthwise("dw3", sum, 3, 2), 9, {});
  const auto joined = b.node("joined", nestling::Concat{1}, {left, right});
  // Pixels a power of two apart.
  const auto wide = b.conv("pw5", depthwise("dw5", b.conv("pw4", joined, 256, {}), 3), 12, {});
  // What two read, what strides read, and small images are there as a whole.
  const auto seen = depthwise("dw6", wide, 3);
  const auto both = b.node("both", nestling::kAdd, {b.conv("pw6", seen, 12, {}), seen});
  const auto half = b.conv("pw7", depthwise("dw7", both, 3), 12, {.stride = {2, 2}});
  const auto small = b.conv("pw8", depthwise("dw8", half, 3), 5, {});
  const Graph graph = b.finish(b.gemm("head", b.node("flatten", nestling::flatten(), {small}), 4));
  for (const int threads : {1, 3}) {
    for (const WeightType weights : {WeightType::float32, WeightType::float16}) {
      const Counted counted(graph, threads, weights);
      CHECK(counted.pairs == 4);
    }
  }
}
