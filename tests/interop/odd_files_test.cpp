// ONNX files as exporters really write them: each is imported, computes what ONNX Runtime makes of
// it, and is cut to a file that is smaller and that ONNX Runtime runs.
//
// A model is given in ONNX's text form; its inputs but "X" become random weights.
#include <fstream>
#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>

#include "interop/onnxruntime.h"
#include "support/catch.h"
#include "support/channels.h"
#include "support/test_graphs.h"

#include "graph/cost.h"
#include "graph/interpreter.h"
#include "graph/onnx.h"

namespace {

using Proto = onnx::TensorProto;

uint16_t half_of(float value) {  // of small normal numbers, rounded towards zero
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  const auto exponent = static_cast<int32_t>(bits >> 23 & 255) - 127 + 15;
  if (exponent <= 0) return 0;
  return static_cast<uint16_t>((bits >> 16 & 0x8000) | static_cast<uint32_t>(exponent) << 10 |
                               (bits >> 13 & 1023));
}

// Random numbers of the type and shape of a graph input.
Proto random_weight(const onnx::ValueInfoProto& input, nestling::Random& random) {
  const auto& type = input.type().tensor_type();
  Proto tensor;
  tensor.set_name(input.name());
  tensor.set_data_type(type.elem_type());
  int64_t count = 1;
  for (const auto& dimension : type.shape().dim()) {
    tensor.add_dims(dimension.dim_value());
    count *= dimension.dim_value();
  }
  // Variances are positive.
  const bool positive = input.name().find("var") != std::string::npos;
  std::string& raw = *tensor.mutable_raw_data();
  for (int64_t i = 0; i < count; ++i) {
    auto value = static_cast<float>(random.normal() * 0.3);
    if (positive) value = 0.5F + std::abs(value);
    const auto put = [&](const auto number) {
      raw.append(reinterpret_cast<const char*>(&number), sizeof number);
    };
    if (type.elem_type() == Proto::DOUBLE) {
      put(static_cast<double>(value));
    } else if (type.elem_type() == Proto::FLOAT16) {
      put(half_of(value));
    } else {
      put(value);
    }
  }
  return tensor;
}

enum class Weights { initializers, inputs_too, other_file };

onnx::ModelProto model_of(const char* text, Weights weights = Weights::initializers) {
  onnx::ModelProto model;
  const auto status = onnx::OnnxParser::Parse(model, text);
  INFO(status.ErrorMessage());
  REQUIRE(status.IsOK());
  nestling::Random random(17);
  onnx::GraphProto& graph = *model.mutable_graph();
  auto inputs = graph.input();
  graph.clear_input();
  for (const onnx::ValueInfoProto& input : inputs) {
    const bool weight = input.name() != "X";
    if (weight) *graph.add_initializer() = random_weight(input, random);
    if (!weight || weights == Weights::inputs_too) *graph.add_input() = input;
  }
  return model;
}

std::vector<float> interpreted(const nestling::Graph& graph, const nestling::Tensor& x) {
  return nestling::interpret(graph, x).at(0).data;
}

void check_close(const std::vector<float>& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == Approx(expected[i]).epsilon(1e-4).margin(1e-4));
  }
}

// Returns the graph. `file` is what ONNX Runtime reads.
nestling::Graph check_file(const std::filesystem::path& file) {
  nestling::Random random(5);
  const nestling::Graph graph = nestling::load_onnx(file);
  const nestling::Tensor x = test::random_tensor({1, 3, 8, 8}, random);
  check_close(interpreted(graph, x), test::run_onnxruntime_on_file(file, x));

  // Half of every group goes.
  const auto groups = nestling::find_groups(graph);
  nestling::KeptChannels kept;
  for (size_t g = 0; g < groups.groups.size(); ++g) {
    const auto& group = groups.groups[g];
    if (group.fixed || group.width < 2) continue;
    kept[static_cast<int32_t>(g)] = test::random_channels(group.width, group.width / 2, random);
  }
  REQUIRE_FALSE(kept.empty());
  const nestling::Graph cut = nestling::keep(graph, groups, kept);
  CHECK(nestling::count_parameters(cut) <
        0.8 * static_cast<double>(nestling::count_parameters(graph)));
  const std::string bytes = nestling::export_onnx(cut);
  CHECK(bytes.size() < nestling::export_onnx(graph).size());
  check_close(test::run_onnxruntime(bytes, x), interpreted(cut, x));
  check_close(interpreted(cut, x), interpreted(test::zeroed(graph, groups, kept), x));
  return graph;
}

nestling::Graph check_model(const onnx::ModelProto& model) {
  const TemporaryFolder folder;
  nestling::write_file(folder / "model.onnx", model.SerializeAsString());
  return check_file(folder / "model.onnx");
}

size_t count_nodes(const nestling::Graph& graph, const std::string& name) {
  size_t count = 0;
  for (const auto& node : graph.nodes) count += nestling::op_name(node.op) == name;
  return count;
}

}  // namespace

TEST_CASE("opset 6 with weights as inputs, a batch norm's scale behind it, a flatten by 0 and -1") {
  const auto graph = check_model(model_of(R"(<ir_version: 3, opset_import: ["" : 7]>
    caffe2 (float[1,3,8,8] X, float[8,3,3,3] w1, float[8] bn_scale, float[8] bn_shift, float[8] bn_mean,
            float[8] bn_var, float[8] scale, float[8] shift, float[6,8,3,3] w2, float[6] b2,
            float[4,6] w3, float[4] b3) => (float[1,4] Y)
    {
      c1 = Conv <kernel_shape = [3,3], pads = [1,1,1,1]> (X, w1)
      n1 = BatchNormalization <epsilon = 0.001> (c1, bn_scale, bn_shift, bn_mean, bn_var)
      s3 = Unsqueeze <axes = [1,2]> (scale)
      m1 = Mul (n1, s3)
      h3 = Unsqueeze <axes = [1,2]> (shift)
      a1 = Add (m1, h3)
      r1 = Relu (a1)
      c2 = Conv <kernel_shape = [3,3], strides = [2,2], pads = [1,1,1,1]> (r1, w2, b2)
      p = AveragePool <kernel_shape = [4,4]> (c2)
      shape = Constant <value = int64[2] {0, -1}> ()
      f = Reshape (p, shape)
      Y = Gemm <transB = 1> (f, w3, b3)
    })",
                                          Weights::inputs_too));
  // The scale and the shift are the batch norm's.
  CHECK(count_nodes(graph, "Mul") == 0);
  CHECK(count_nodes(graph, "Add") == 0);
}

TEST_CASE("group norms, as PyTorch and as ONNX have them") {
  const auto graph = check_model(model_of(R"(<ir_version: 9, opset_import: ["" : 21]>
    groups (float[N,3,8,8] X, float[8,3,1,1] w1, float[8,1,1] scale, float[8,1,1] shift,
            float[8] scales, float[8] shifts, float[4,8,1,1] w2) => (float[N,4,8,8] Y)
    {
      c1 = Conv (X, w1)
      split = Constant <value = int64[3] {0, 4, -1}> ()
      ones = Constant <value = float[4] {1.0, 1.0, 1.0, 1.0}> ()
      zeros = Constant <value = float[4] {0.0, 0.0, 0.0, 0.0}> ()
      s1 = Reshape (c1, split)
      n1 = InstanceNormalization <epsilon = 0.001> (s1, ones, zeros)
      full = Shape (c1)
      j1 = Reshape (n1, full)
      m1 = Mul (j1, scale)
      a1 = Add (m1, shift)
      g2 = GroupNormalization <num_groups = 2> (a1, scales, shifts)
      Y = Conv (g2, w2)
    })"));
  CHECK(count_nodes(graph, "GroupNormalization") == 2);
  CHECK(count_nodes(graph, "Reshape") == 0);
  // Before opset 21 each group has a scale and a shift.
  auto model = model_of(R"(<ir_version: 8, opset_import: ["" : 18]>
    groups (float[N,3,8,8] X, float[6,3,1,1] w1, float[3] scales, float[3] shifts,
            float[4,6,1,1] w2) => (float[N,4,8,8] Y)
    {
      c1 = Conv (X, w1)
      g1 = GroupNormalization <num_groups = 3> (c1, scales, shifts)
      Y = Conv (g1, w2)
    })");
  check_model(model);
  const auto import_with = [&](int64_t groups) {
    model.mutable_graph()->mutable_node(1)->mutable_attribute(0)->set_i(groups);
    nestling::import_onnx(model.SerializeAsString(), "bytes");
  };
  CHECK_THROWS_WITH(import_with(2),
                    ContainsSubstring("3 scales or shifts do not fit 2 groups of 3"));
  CHECK_THROWS_WITH(import_with(4), ContainsSubstring("4 groups do not fit its input"));
}

TEST_CASE("what is expanded for arithmetic, and norms of a vector, as PyTorch has them") {
  const std::string head = R"(<ir_version: 8, opset_import: ["" : 13]>
    embedding (float[N,3,8,8] X, float[8,3,1,1] w1, float[8,8,1,1] w2, float[5,8] w3)
              => (float[N,5] Y)
    {
      tiny = Constant <value = float {0.000001}> ()
      c1 = Conv (X, w1)
      p1 = GlobalAveragePool (c1)
      c2 = Conv (p1, w2)
      s2 = Sigmoid (c2)
      size = Shape (c1)
      e2 = Expand (s2, size)
      m2 = Mul (c1, e2)
      g2 = GlobalMaxPool (m2)
      f2 = Flatten (g2)
      v = Gemm <transB = 1> (f2, w3)
      n3 = ReduceL2 <axes = [1], keepdims = 1> (v)
      x3 = Max (n3, tiny)
      size3 = Shape (v)
      e3 = Expand (x3, size3)
    )";
  const auto graph = check_model(model_of((head + "Y = Div (v, e3) }").c_str()));
  CHECK(count_nodes(graph, "Expand") == 0);
  // Nobody else broadcasts.
  const auto import_with = [&](const std::string& rest) {
    nestling::import_onnx(model_of((head + rest).c_str()).SerializeAsString(), "bytes");
  };
  CHECK_THROWS_WITH(import_with("Y = Identity (e3) }"), ContainsSubstring("\"Y\" is expanded"));
  CHECK_THROWS_WITH(import_with("Y = Softmax (e3) }"), ContainsSubstring("\"e3\" is expanded to"));
  CHECK_THROWS_WITH(import_with("Y = Mul (e3, tiny) }"),
                    ContainsSubstring("\"e3\" is expanded to"));
}

TEST_CASE(
    "layer norms and fully connected layers of channels, as PyTorch and as ConvNeXt have them") {
  const auto graph = check_model(model_of(R"(<ir_version: 8, opset_import: ["" : 13]>
    block (float[N,3,8,8] X, float[8,3,1,1] w1, float[8] scale, float[8] shift, float[8,20] w2,
           float[20] b2, float[20,8] w3, float[8,1,1] gamma, float[4,8,1,1] w4)
          => (float[N,4,8,8] Y, float[N,8,8,8] Z)
    {
      two = Constant <value = float {2.0}> ()
      tiny = Constant <value = float {0.001}> ()
      root = Constant <value = float {1.4142135}> ()
      one = Constant <value = float {1.0}> ()
      half = Constant <value = float {0.5}> ()
      c1 = Conv (X, w1)
      u1 = ReduceMean <axes = [1], keepdims = 1> (c1)
      d1 = Sub (c1, u1)
      q1 = Mul (d1, d1)
      v1 = ReduceMean <axes = [1], keepdims = 1> (q1)
      e1 = Add (v1, tiny)
      s1 = Sqrt (e1)
      n1 = Div (d1, s1)
      t1 = Transpose <perm = [0, 2, 3, 1]> (n1)
      u2 = ReduceMean <axes = [-1], keepdims = 1> (t1)
      d2 = Sub (t1, u2)
      q2 = Pow (d2, two)
      v2 = ReduceMean <axes = [-1], keepdims = 1> (q2)
      e2 = Add (v2, tiny)
      s2 = Sqrt (e2)
      n2 = Div (d2, s2)
      m2 = Mul (n2, scale)
      a2 = Add (m2, shift)
      l1 = MatMul (a2, w2)
      b1 = Add (l1, b2)
      g1 = Div (b1, root)
      g2 = Erf (g1)
      g3 = Add (g2, one)
      g4 = Mul (b1, g3)
      g5 = Mul (g4, half)
      l2 = MatMul (g5, w3)
      Z = Softmax <axis = 3> (a2)
      t2 = Transpose <perm = [0, 3, 1, 2]> (l2)
      m3 = Mul (gamma, t2)
      a3 = Add (m3, c1)
      Y = Conv (a3, w4)
    })"));
  CHECK(count_nodes(graph, "LayerNormalization") == 2);
  CHECK(count_nodes(graph, "ReduceMean") == 0);
  CHECK(count_nodes(graph, "Gemm") == 0);
  CHECK(count_nodes(graph, "Erf") == 0);
  CHECK(count_nodes(graph, "Transpose") == 1);  // for Z
}

TEST_CASE("a symbolic batch, sizes computed from shapes, a shuffle, names with slashes") {
  const auto graph = check_model(model_of(R"(<ir_version: 7, opset_import: ["" : 12]>
    torch (float[N,3,8,8] X, float[8,3,1,1] w1, float[8] b1, float[12,4,3,3] w2, float[12] b2,
           float[5,12] w3, float[5] b3) => (float[N,5] Y, float[N,12] Z)
    {
      c1 = Conv (X, w1, b1)
      zero = Constant <value = float {0.0}> ()
      six = Constant <value = float {6.0}> ()
      r1 = Clip (c1, zero, six)
      split = Constant <value = int64[5] {0, 2, 4, 8, 8}> ()
      joined = Constant <value = int64[4] {0, 8, 8, 8}> ()
      s1 = Reshape (r1, split)
      t1 = Transpose <perm = [0,2,1,3,4]> (s1)
      sh = Reshape (t1, joined)
      c2 = Conv <group = 2, kernel_shape = [3,3], auto_pad = "SAME_UPPER"> (sh, w2, b2)
      p = ReduceMean <axes = [2,3], keepdims = 0> (c2)
      full = Shape (p)
      first = Constant <value = int64 {0}> ()
      n = Gather <axis = 0> (full, first)
      axis0 = Constant <value = int64[1] {0}> ()
      n1 = Unsqueeze <axes = [0]> (n)
      rest = Constant <value = int64[1] {-1}> ()
      to = Concat <axis = 0> (n1, rest)
      Z = Reshape (p, to)
      Y = Gemm <transB = 1> (Z, w3, b3)
    })"));
  CHECK(count_nodes(graph, "Shuffle") == 1);
  CHECK(graph.outputs.size() == 2);
  CHECK(graph.value(graph.inputs[0]).shape[0] == nestling::kBatch);
}

TEST_CASE(
    "names with slashes, a hard-swish written out, a padding before a convolution, a sum of "
    "three") {
  auto model = model_of(R"(<ir_version: 7, opset_import: ["" : 11]>
    keras (float[1,3,8,8] X, float[8,3,3,3] w1, float[8] b1, float[8,8,1,1] w2, float[8,8,1,1] w3,
           float[8,1,3,3] w4, float[8,4] w5, float[4] b5) => (float[1,4] Y)
    {
      pads = Constant <value = int64[8] {0,0,0,0,0,0,1,1}> ()
      px = Pad <mode = "constant"> (X, pads)
      c1 = Conv <kernel_shape = [3,3], strides = [2,2]> (px, w1, b1)
      three = Constant <value = float {3.0}> ()
      six = Constant <value = float {6.0}> ()
      zero = Constant <value = float {0.0}> ()
      plus = Add (c1, three)
      cut = Clip (plus, zero, six)
      times = Mul (c1, cut)
      h = Div (times, six)
      a = Conv (h, w2)
      b = Conv (h, w3)
      s = Sum (a, b, h)
      dead = Relu (s)
      deader = Mul (dead, dead)
      d = Conv <group = 8, kernel_shape = [3,3], pads = [1,1,1,1]> (s, w4)
      g = GlobalAveragePool (d)
      f = Flatten (g)
      m = MatMul (f, w5)
      Y = Add (m, b5)
    })");
  for (onnx::NodeProto& node : *model.mutable_graph()->mutable_node()) {
    node.set_name("/features/0/" + node.output(0));
    for (std::string& output : *node.mutable_output()) {
      if (output != "Y") output = "/features/0/" + output + "_output_0";
    }
    for (std::string& input : *node.mutable_input()) {
      const bool weight = input == "X" || input[0] == 'w' || (input[0] == 'b' && input.size() > 1);
      if (!weight) input = "/features/0/" + input + "_output_0";
    }
  }
  const auto graph = check_model(model);
  CHECK(count_nodes(graph, "HardSwish") == 1);
  CHECK(count_nodes(graph, "Clip") == 0);
  CHECK(graph.nodes.back().name == "/features/0/m");  // with the bias of Y
}

TEST_CASE("weights of float16 and double, of ConstantOfShape, and twice the same") {
  auto model = model_of(R"(<ir_version: 7, opset_import: ["" : 13]>
    mixed (float[1,3,8,8] X, float16[8,3,3,3] w1, double[8] b1, float[6,8,3,3] w2, float[4,6] w3)
      => (float[1,4] Y)
    {
      w1f = Cast <to = 1> (w1)
      b1f = Cast <to = 1> (b1)
      c1 = Conv <kernel_shape = [3,3], pads = [1,1,1,1]> (X, w1f, b1f)
      size = Constant <value = int64[1] {6}> ()
      b2 = ConstantOfShape <value = float[1] {0.25}> (size)
      r1 = LeakyRelu <alpha = 0.1> (c1)
      c2 = Conv <kernel_shape = [3,3], pads = [1,1,1,1]> (r1, w2, b2)
      c3 = Conv <kernel_shape = [3,3], pads = [1,1,1,1]> (r1, w2_again, b2)
      s = Max (c2, c3)
      axes = Constant <value = int64[2] {2,3}> ()
      p = ReduceSum <keepdims = 1> (s, axes)
      f = Squeeze (p, axes)
      Y = Gemm <transB = 1> (f, w3)
    })");
  for (const Proto& tensor : model.graph().initializer()) {
    if (tensor.name() != "w2") continue;
    Proto again = tensor;
    again.set_name("w2_again");
    *model.mutable_graph()->add_initializer() = again;
    break;
  }
  check_model(model);
}

TEST_CASE("weights in another file, which must be in the model's folder") {
  const TemporaryFolder folder;
  auto model = model_of(R"(<ir_version: 7, opset_import: ["" : 13]>
    external (float[1,3,8,8] X, float[8,3,3,3] w1, float[6,8,3,3] w2) => (float[1,6,8,8] Y)
    {
      c1 = Conv <kernel_shape = [3,3], pads = [1,1,1,1]> (X, w1)
      r1 = Relu (c1)
      Y = Conv <kernel_shape = [3,3], pads = [1,1,1,1]> (r1, w2)
    })");
  std::string data(64, '\0');  // something before the first
  for (Proto& tensor : *model.mutable_graph()->mutable_initializer()) {
    const auto add = [&](const char* key, const std::string& value) {
      auto* entry = tensor.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    };
    add("location", "weights/model.bin");
    add("offset", std::to_string(data.size()));
    add("length", std::to_string(tensor.raw_data().size()));
    data += tensor.raw_data();
    tensor.clear_raw_data();
    tensor.set_data_location(Proto::EXTERNAL);
  }
  std::filesystem::create_directories(folder / "weights");
  nestling::write_file(folder / "weights/model.bin", data);
  nestling::write_file(folder / "model.onnx", model.SerializeAsString());
  check_file(folder / "model.onnx");
  CHECK_THROWS_WITH(nestling::import_onnx(model.SerializeAsString(), "bytes"),
                    ContainsSubstring("stored in another file"));

  const auto refuses = [&](const char* key, const std::string& value, const std::string& sentence) {
    INFO(key << " " << value);
    auto spoilt = model;
    auto& entries = *spoilt.mutable_graph()->mutable_initializer(0)->mutable_external_data();
    for (auto& entry : entries) {
      if (entry.key() == key) entry.set_value(value);
    }
    nestling::write_file(folder / "spoilt.onnx", spoilt.SerializeAsString());
    CHECK_THROWS_WITH(nestling::load_onnx(folder / "spoilt.onnx"), ContainsSubstring(sentence));
  };
  nestling::write_file(folder / "outside.bin", data);
  std::filesystem::create_symlink(folder / "outside.bin", folder / "weights/link.bin");
  std::filesystem::create_directory_symlink(folder / "weights", folder / "linked");
  refuses("location", "weights/../outside.bin", "not in the model's folder");
  refuses("location", (folder / "outside.bin").string(), "not in the model's folder");
  refuses("location", "", "not in the model's folder");
  refuses("location", "weights/link.bin", "a symbolic link");
  refuses("location", "linked/model.bin", "a symbolic link");
  refuses("location", "weights", "is not a file");
  refuses("location", "weights/none.bin", "is not a file");
  refuses("offset", std::to_string(data.size() - 3), "ends before");
  refuses("offset", "18446744073709551615", "ends before");
  refuses("offset", "-4", "no number");
  refuses("length", "12", "does not fit its shape");
}
