#include "graph/onnx.h"

#include <functional>
#include <onnx/onnx_pb.h>

#include "support/catch.h"
#include "support/test_graphs.h"

#include "base/error.h"
#include "base/file.h"
#include "graph/classifier.h"
#include "graph/interpreter.h"
#include "graph/onnx_tensor.h"
#include "graph/zoo.h"

using nestling::Graph;
using nestling::Tensor;

TEST_CASE("a graph comes back from its ONNX file with the same bytes and outputs") {
  for (const Graph& graph :
       {test::residual_network(1), test::every_op_network(2), test::modern_network(4)}) {
    const std::string bytes = nestling::export_onnx(graph);
    const Graph back = nestling::import_onnx(bytes, "test.onnx");
    CHECK(nestling::export_onnx(back) == bytes);
    nestling::Random random(3);
    const Tensor x = test::random_tensor({2, 3, 8, 8}, random);
    CHECK(nestling::interpret(graph, x) == nestling::interpret(back, x));
  }
}

TEST_CASE("activations that opset 13 does not have are written out and recognised") {
  using F = nestling::Unary::Function;
  for (const F function : {F::hard_swish, F::mish, F::gelu}) {
    test::Builder b(1);
    const Graph graph = b.finish(b.node("activation", nestling::Unary{function}, {b.input()}));
    const Graph back = nestling::import_onnx(nestling::export_onnx(graph), "test.onnx");
    REQUIRE(back.nodes.size() == 1);
    CHECK(std::get<nestling::Unary>(back.nodes[0].op).function == function);
  }
}

TEST_CASE("a reshape to a shape that is computed from the input's is a flatten") {
  test::Builder b(2);
  const Graph graph =
      b.finish(b.gemm("head", b.node("flatten", nestling::flatten(), {b.input()}), 4));
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(nestling::export_onnx(graph)));
  onnx::GraphProto written = model.graph();
  onnx::GraphProto& proto = *model.mutable_graph();
  proto.clear_node();
  const auto numbers = [&](const char* name, const std::vector<int64_t>& data, bool list) {
    onnx::TensorProto& tensor = *proto.add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::INT64);
    if (list) tensor.add_dims(static_cast<int64_t>(data.size()));
    for (const int64_t n : data) tensor.add_int64_data(n);
  };
  const auto node = [&](const char* op, const std::vector<std::string>& inputs,
                        const char* output) {
    onnx::NodeProto& added = *proto.add_node();
    added.set_op_type(op);
    for (const std::string& input : inputs) added.add_input(input);
    added.add_output(output);
    return &added;
  };
  // What x.view(x.size(0), -1) becomes.
  numbers("zero", {0}, false);
  numbers("axes", {0}, true);
  numbers("rest", {-1}, true);
  node("Shape", {"input"}, "sizes");
  node("Gather", {"sizes", "zero"}, "batch");
  node("Unsqueeze", {"batch", "axes"}, "listed");
  onnx::AttributeProto& axis = *node("Concat", {"listed", "rest"}, "shape")->add_attribute();
  axis.set_name("axis");
  axis.set_type(onnx::AttributeProto::INT);
  axis.set_i(0);
  node("Reshape", {"input", "shape"}, "flatten");
  *proto.add_node() = written.node(1);
  const Graph back = nestling::import_onnx(model.SerializeAsString(), "test.onnx");
  REQUIRE(back.nodes.size() == 2);
  CHECK(std::get<nestling::Reshape>(back.nodes[0].op).to == nestling::flatten().to);
  nestling::Random random(3);
  const Tensor x = test::random_tensor({2, 3, 8, 8}, random);
  CHECK(nestling::interpret(graph, x) == nestling::interpret(back, x));
}

TEST_CASE("a reshape to sizes that no number holds is refused") {
  test::Builder b(2);
  const nestling::Reshape reshape{{0, 3, 8, -1}};
  const Graph graph = b.finish(b.node("reshape", reshape, {b.input()}));
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(nestling::export_onnx(graph)));
  onnx::TensorProto& shape = *model.mutable_graph()->mutable_initializer(0);
  shape.clear_raw_data();
  for (const int64_t n : {int64_t{0}, int64_t{1} << 39, int64_t{1} << 39, int64_t{4}}) {
    shape.add_int64_data(n);
  }
  CHECK_THROWS_WITH(nestling::import_onnx(model.SerializeAsString(), "x.onnx"),
                    ContainsSubstring("a tensor is too large"));
}

TEST_CASE("an operator along the batch fixes its size") {
  test::Builder b(3, {2, 3, 4, 4});
  const Graph graph = b.finish(
      b.node("mean", nestling::Reduce{nestling::Reduce::Function::mean, {0}, false}, {b.input()}));
  const Graph back = nestling::import_onnx(nestling::export_onnx(graph), "test.onnx");
  CHECK(back.value(back.inputs[0]).shape == nestling::Shape{2, 3, 4, 4});
  test::Builder any(4, {2, 3, 4, 4});
  const Graph free = any.finish(any.conv3x3("conv", any.input(), 5));
  const Graph batch = nestling::import_onnx(nestling::export_onnx(free), "test.onnx");
  CHECK(batch.value(batch.inputs[0]).shape == nestling::Shape{nestling::kBatch, 3, 4, 4});
}

TEST_CASE("preprocessing travels in the metadata") {
  Graph graph = test::residual_network(1);
  nestling::ClassifierInfo info{{"a", "b", "c", "d"},
                                {.resize = 10, .mean = {0.1F, 0.2F, 0.3F}, .deviation = {1, 2, 3}}};
  nestling::set_classifier_info(graph, info);
  const Graph back = nestling::import_onnx(nestling::export_onnx(graph), "test.onnx");
  CHECK(nestling::classifier_info(back, "x").classes == info.classes);
  CHECK(nestling::classifier_info(back, "x").preprocess == info.preprocess);
  graph.metadata["nestling.deviation"] = "[0, 1, 1]";
  CHECK_THROWS_WITH(nestling::classifier_info(graph, "x"), ContainsSubstring("positive"));
  graph.metadata["nestling.classes"] = "[\"a\"]";
  CHECK_THROWS_WITH(nestling::classifier_info(graph, "x"), ContainsSubstring("names 1 classes"));
}

TEST_CASE("what cannot be imported is named, all of it") {
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(nestling::export_onnx(test::residual_network(1))));
  model.mutable_graph()->mutable_node(2)->set_op_type("Celu");
  model.mutable_graph()->mutable_node(5)->set_op_type("Shrink");
  const auto import = [&] { return nestling::import_onnx(model.SerializeAsString(), "x.onnx"); };
  CHECK_THROWS_WITH(import(), ContainsSubstring("conv1.relu\" (Celu) is not supported") &&
                                  !ContainsSubstring("conv2.bn\""));
  model.mutable_graph()->mutable_node(2)->set_op_type("Relu");
  CHECK_THROWS_WITH(import(), ContainsSubstring("(Shrink) is not supported"));
  CHECK_THROWS_WITH(nestling::import_onnx("junk", "x.onnx"),
                    ContainsSubstring("not an ONNX model"));
}

TEST_CASE("hostile models are refused in one sentence that says what is wrong") {
  using Mutation = std::function<void(onnx::GraphProto&)>;
  const auto weight = [](onnx::GraphProto& graph, const char* name) {
    for (onnx::TensorProto& tensor : *graph.mutable_initializer()) {
      if (tensor.name() == name) return &tensor;
    }
    throw std::logic_error(name);
  };
  const auto dimension = [](onnx::GraphProto& graph, int i) {
    return graph.mutable_input(0)
        ->mutable_type()
        ->mutable_tensor_type()
        ->mutable_shape()
        ->mutable_dim(i);
  };
  const std::vector<std::pair<Mutation, std::string>> cases = {
      {[&](auto& g) {
         weight(g, "conv1.weight")->mutable_raw_data()->replace(0, 4, "\xff\xff\xff\x7f");
       },
       "the tensor \"conv1.weight\" holds a value that is not finite"},
      {[&](auto& g) { weight(g, "conv1.weight")->mutable_raw_data()->resize(8); },
       "the data of the tensor \"conv1.weight\" does not fit its shape"},
      {[&](auto& g) { weight(g, "conv1.weight")->set_dims(0, int64_t{1} << 60); }, "too large"},
      {[&](auto& g) { weight(g, "conv1.weight")->set_dims(0, -6); },
       "the tensor \"conv1.weight\" has a negative dimension"},
      {[&](auto& g) { weight(g, "conv1.weight")->set_data_type(onnx::TensorProto::STRING); },
       "the tensor \"conv1.weight\" does not hold floating-point numbers"},
      {[&](auto& g) { weight(g, "conv1.weight")->set_data_location(onnx::TensorProto::EXTERNAL); },
       "is stored in another file"},
      {[&](auto& g) { *g.add_initializer() = g.initializer(0); }, "is there twice"},
      {[&](auto& g) { dimension(g, 2)->set_dim_param("height"); },
       "its input \"input\" has a dimension of unknown size"},
      {[&](auto& g) { dimension(g, 2)->set_dim_value(-8); },
       "its input \"input\" has a dimension of unknown size"},
      {[&](auto& g) { dimension(g, 2)->set_dim_value(int64_t{1} << 62); }, "a tensor is too large"},
      {[&](auto& g) { g.mutable_node(0)->set_input(0, g.node(2).output(0)); },  // a cycle
       "which no earlier node produces"},
      {[&](auto& g) { g.mutable_node(1)->set_input(0, "nowhere"); },
       "uses \"nowhere\", which no earlier node produces"},
      {[&](auto& g) { g.mutable_node(2)->set_output(0, g.node(0).output(0)); }, "again"},
      {[&](auto& g) { g.mutable_node(2)->clear_output(); }, "has no output"},
      {[&](auto& g) { g.mutable_node(2)->clear_input(); }, "has too few inputs"},
      {[&](auto& g) { g.mutable_node(2)->set_domain("com.example"); },
       "is of the domain com.example"},
      {[&](auto& g) { g.mutable_output(0)->set_name("nowhere"); }, "nowhere"},
      {[&](auto& g) { g.clear_output(); }, "it has no output"},
      {[&](auto& g) {
         for (onnx::NodeProto& node : *g.mutable_node()) {
           if (node.op_type() == "Add") node.set_input(1, "");
         }
       },
       "(Add) has too few inputs"},
  };
  for (const auto& [mutate, expected] : cases) {
    INFO(expected);
    onnx::ModelProto model;
    REQUIRE(model.ParseFromString(nestling::export_onnx(test::residual_network(1))));
    mutate(*model.mutable_graph());
    CHECK_THROWS_WITH(nestling::import_onnx(model.SerializeAsString(), "x.onnx"),
                      ContainsSubstring("x.onnx: ") && ContainsSubstring(expected));
  }
}

TEST_CASE("an input is of the size that is given, whatever the file says") {
  onnx::ModelProto model;
  const Graph small =
      nestling::make_model("small", {.classes = 4, .channels = 3, .height = 8, .width = 8});
  REQUIRE(model.ParseFromString(nestling::export_onnx(small)));
  const auto import = [&](const nestling::Shape& input) {
    return nestling::import_onnx(model.SerializeAsString(), "x.onnx", input);
  };
  const nestling::Shape given = {3, 16, 24};
  const auto check_given = [&] {
    const Graph graph = import(given);
    CHECK(graph.value(graph.inputs[0]).shape == nestling::Shape{nestling::kBatch, 3, 16, 24});
    CHECK(nestling::class_count(graph) == 4);
  };
  check_given();
  auto* shape = model.mutable_graph()
                    ->mutable_input(0)
                    ->mutable_type()
                    ->mutable_tensor_type()
                    ->mutable_shape();
  for (const int i : {2, 3}) shape->mutable_dim(i)->set_dim_param("any");
  CHECK_THROWS_WITH(import({}), ContainsSubstring("unknown size; give its size (--input)"));
  check_given();

  CHECK_THROWS_WITH(import({4, 8, 8}), ContainsSubstring("(Conv)"));
  CHECK_THROWS_WITH(import({8, 8}), ContainsSubstring("one input of 3 dimensions"));
  CHECK_THROWS_WITH(import({1, 1, 8, 8}), ContainsSubstring("one input of 5 dimensions"));
  onnx::ValueInfoProto second = model.graph().input(0);
  second.set_name("second");
  *model.mutable_graph()->add_input() = second;
  CHECK_THROWS_WITH(import(given), ContainsSubstring("one input of 4 dimensions"));
}

TEST_CASE("a network of images with channels last takes them with channels first") {
  const Graph small =
      nestling::make_model("small", {.classes = 4, .channels = 3, .height = 8, .width = 12});
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(nestling::export_onnx(small)));
  onnx::GraphProto& g = *model.mutable_graph();
  const std::string input = g.input(0).name();
  for (onnx::NodeProto& node : *g.mutable_node()) {
    for (std::string& name : *node.mutable_input()) {
      if (name == input) name = "moved";
    }
  }
  onnx::NodeProto move;
  move.set_op_type("Transpose");
  move.add_input(input);
  move.add_output("moved");
  onnx::AttributeProto& order = *move.add_attribute();
  order.set_name("perm");
  order.set_type(onnx::AttributeProto::INTS);
  for (const int axis : {0, 3, 1, 2}) order.add_ints(axis);
  *g.add_node() = move;
  std::rotate(g.mutable_node()->pointer_begin(), g.mutable_node()->pointer_end() - 1,
              g.mutable_node()->pointer_end());
  auto* shape = g.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  const auto say = [&] {
    int axis = 0;
    for (const int64_t size : {8, 12, 3}) shape->mutable_dim(++axis)->set_dim_value(size);
  };
  const auto import = [&](const nestling::Shape& size) {
    return nestling::import_onnx(model.SerializeAsString(), "x.onnx", size);
  };
  say();
  CHECK(nestling::export_onnx(import({})) == nestling::export_onnx(small));
  for (const int i : {1, 2}) shape->mutable_dim(i)->set_dim_param("any");
  CHECK(nestling::export_onnx(import({3, 8, 12})) == nestling::export_onnx(small));
  CHECK(nestling::image_input(import({3, 16, 16})).height == 16);

  // What else reads the images sees them as the file has them.
  onnx::NodeProto relu;
  relu.set_op_type("Relu");
  relu.add_input(input);
  relu.add_output("other");
  *g.add_node() = relu;
  say();
  CHECK(nestling::image_input(import({})).channels == 8);
}

TEST_CASE("a network that mixes the images of a batch runs, and says why it does not train") {
  test::Builder b(1);
  const Graph graph = b.finish(b.node("out", nestling::Unary{}, {b.input()}));
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(nestling::export_onnx(graph)));
  onnx::GraphProto& g = *model.mutable_graph();
  onnx::NodeProto mixing;  // one image [1, C, H, W] as a matrix [C, H W]
  mixing.set_op_type("Reshape");
  mixing.add_input(g.node(0).output(0));
  mixing.add_input("matrix");
  mixing.add_output("mixed");
  *g.add_node() = mixing;
  g.mutable_output(0)->set_name("mixed");
  onnx::TensorProto& matrix = *g.add_initializer();
  matrix.set_name("matrix");
  matrix.set_data_type(onnx::TensorProto::INT64);
  matrix.add_dims(2);
  matrix.add_int64_data(3);
  matrix.add_int64_data(64);
  g.mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_value(1);
  const Graph back = nestling::import_onnx(model.SerializeAsString(), "x.onnx");
  CHECK(back.value(back.outputs[0]).shape == nestling::Shape{3, 64});
  CHECK_THROWS_WITH(nestling::image_input(back),
                    ContainsSubstring("is for batches of 1: an operator"));
}

TEST_CASE("damaged files are refused or imported, never worse") {
  const std::string bytes = nestling::export_onnx(test::every_op_network(2));
  const uint64_t seed = 20261125;
  INFO("seed " << seed);
  nestling::Random random(seed);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string damaged = bytes.substr(0, i % 3 == 0 ? random.below(bytes.size()) : bytes.size());
    // Most damage goes where the structure is: the first kilobytes, before the weights.
    for (uint64_t k = random.below(4); k < 4 && !damaged.empty(); ++k) {
      damaged[random.below(std::min<size_t>(damaged.size(), 3000))] =
          static_cast<char>(random.below(256));
    }
    try {
      nestling::import_onnx(damaged, "damaged.onnx");
    } catch (const nestling::Error&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}
