// Norms against the interpreter: groups within, across and beyond what is summed at once, along
// axes that lie side by side and others.
#include "runtime/model.h"
#include "support/capacities.h"
#include "support/catch.h"
#include "support/targets.h"
#include "support/temporary_folder.h"
#include "support/test_graphs.h"

#include "base/file.h"
#include "graph/interpreter.h"
#include "package/package.h"

using nestling::Graph;
using nestling::GroupNorm;
using nestling::InstanceNorm;
using nestling::LayerNorm;
using nestling::Shape;
using nestling::Tensor;

namespace {

// Numbers whose mean and deviation differ from place to place, normalised.
Graph normalised(const Shape& shape, const nestling::Op& op) {
  test::Builder b(7, shape);
  Shape rest(shape.begin() + 1, shape.end());
  auto x = b.node("scaled", nestling::kMul, {b.input(), b.constant("scale", rest, 3)});
  x = b.node("moved", nestling::kAdd, {x, b.constant("shift", rest, 3)});
  std::vector<nestling::ValueId> in{x};
  if (std::holds_alternative<InstanceNorm>(op)) {
    in = {x, b.constant("s", {shape[1]}, 1), b.constant("t", {shape[1]}, 1)};
  } else if (const auto* norm = std::get_if<LayerNorm>(&op)) {
    const Shape size(shape.end() + norm->axis, shape.end());
    in = {x, b.constant("s", size, 1), b.constant("t", size, 1)};
  }
  return b.finish(b.node("norm", op, in));
}

}  // namespace

TEST_CASE("norms are the interpreter's, of any width, with any number of threads") {
  struct Case {
    Shape shape;
    nestling::Op op;
  };
  const auto n = nestling::kBatch;
  const std::vector<Case> cases{
      {{n, 5, 3, 5}, GroupNorm{1}},           {{n, 24, 3, 5}, GroupNorm{3}},
      {{n, 1030, 3, 5}, GroupNorm{5}},        {{n, 2049, 3, 5}, GroupNorm{683}},
      {{n, 1024, 3, 5}, GroupNorm{1024}},     {{n, 1280, 3, 5}, GroupNorm{1280}},
      {{n, 2062, 3, 5}, GroupNorm{1031}},     {{n, 6, 3, 1}, GroupNorm{2}},
      {{n, 1030, 3, 5}, InstanceNorm{}},      {{n, 7, 1, 1}, InstanceNorm{}},
      {{n, 5, 3, 96}, LayerNorm{.axis = -1}}, {{n, 1025, 3, 2}, LayerNorm{.axis = -2}},
      {{n, 2, 3, 5}, LayerNorm{.axis = -3}},  {{n, 1, 1, 9}, LayerNorm{.axis = -1}},
      {{n, 7, 1280}, LayerNorm{.axis = -1}},  {{n, 50}, LayerNorm{.axis = -1}}};
  test::for_each_instruction_set([&] {
    for (const Case& c : cases) {
      const Graph graph = normalised(c.shape, c.op);
      INFO(c.op.index() << " of " << Catch::StringMaker<Shape>::convert(c.shape));
      nestling::Random random(8);
      Shape one = c.shape;
      one[0] = 1;
      const Tensor image = test::random_tensor(one, random);
      const std::vector<float> expected = nestling::interpret(graph, image).at(0).data;
      const TemporaryFolder folder;
      nestling::write_file(folder / "model.nest", nestling::make_package(graph, "test"));
      std::vector<float> alone;
      for (const int threads : {1, 2, 3}) {
        auto opened =
            nestling::runtime::Model::open((folder / "model.nest").c_str(), {.threads = threads});
        REQUIRE(opened.ok());
        REQUIRE(opened.value().set_capacity(1).ok());
        std::vector<float> found(opened.value().output_floats());
        REQUIRE(opened.value().run(image.data.data(), found.data()).ok());
        if (threads == 1) alone = found;
        CHECK(found == alone);
      }
      test::check_close(alone, expected);
    }
  });
}
