// Files for ncnn by the rules of their format; what ncnn computes from them is compared where it is
// installed.
#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "support/catch.h"
#include "support/random_graph.h"

#include "graph/batch_norms.h"
#include "graph/interpreter.h"
#include "graph/zoo.h"
#include "package/ncnn.h"

#ifdef NESTLING_NCNN
#include <net.h>
#endif

using nestling::Graph;
using nestling::NcnnModel;
using nestling::Tensor;

namespace {

// Each blob is made once, before it is used, and used at most once; the numbers at the top are
// those of layers and blobs; a parameter is KEY=NUMBER or -233KEY=COUNT,NUMBERS.
void check_text(const std::string& param) {
  std::istringstream lines(param);
  int magic = 0, layers = 0, blobs = 0;
  lines >> magic >> layers >> blobs;
  CHECK(magic == 7767517);
  std::map<std::string, int> uses;
  std::set<std::string> names;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    --layers;
    std::istringstream words(line);
    std::string type, name, word;
    int inputs = 0, outputs = 0;
    words >> type >> name >> inputs >> outputs;
    INFO(line);
    CHECK(names.insert(name).second);
    for (int i = 0; i < inputs; ++i) {
      words >> word;
      REQUIRE(uses.contains(word));
      CHECK(++uses[word] == 1);
    }
    for (int i = 0; i < outputs; ++i, --blobs) {
      words >> word;
      CHECK(uses.emplace(word, 0).second);
    }
    while (words >> word) {
      const size_t equals = word.find('=');
      REQUIRE(equals != std::string::npos);
      const int key = std::stoi(word);
      const auto numbers = std::count(word.begin(), word.end(), ',');
      CHECK((key >= 0 ? numbers == 0 : numbers == std::stoi(word.substr(equals + 1))));
    }
  }
  CHECK(layers == 0);
  CHECK(blobs == 0);
}

#ifdef NESTLING_NCNN
void check_outputs(const Graph& graph, const NcnnModel& model, float tolerance) {
  nestling::Random random(9);
  nestling::Shape shape = graph.value(graph.inputs[0]).shape;
  shape[0] = 1;
  const Tensor image = test::random_tensor(shape, random);
  ncnn::Net net;
  net.opt.num_threads = 1;
  net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = false;
  REQUIRE(net.load_param_mem(model.param.c_str()) == 0);
  // Aligned, as ncnn reads it where it lies.
  std::vector<float> words((model.bin.size() + 3) / 4);
  std::copy(model.bin.begin(), model.bin.end(), reinterpret_cast<char*>(words.data()));
  REQUIRE(net.load_model(reinterpret_cast<const unsigned char*>(words.data())) == model.bin.size());
  const auto size = [&](size_t i) { return static_cast<int>(shape[i]); };
  ncnn::Mat in(size(3), size(2), size(1));
  const size_t area = static_cast<size_t>(shape[2] * shape[3]);
  for (int c = 0; c < in.c; ++c) {
    std::copy_n(image.data.data() + static_cast<size_t>(c) * area, area,
                static_cast<float*>(in.channel(c)));
  }
  ncnn::Extractor extractor = net.create_extractor();
  extractor.input(net.input_names()[0], in);
  const std::vector<Tensor> expected = nestling::interpret(graph, {image});
  ncnn::Mat found;
  REQUIRE(extractor.extract(graph.value(graph.outputs[0]).name.c_str(), found) == 0);
  const ncnn::Mat out = found.reshape(found.w * found.h * found.d * found.c);  // without gaps
  REQUIRE(static_cast<size_t>(out.w) == expected[0].data.size());
  for (size_t i = 0; i < expected[0].data.size(); ++i) {
    CHECK(out[i] == Approx(expected[0].data[i]).margin(tolerance).epsilon(tolerance));
  }
}
#else
void check_outputs(const Graph&, const NcnnModel&, float) {}
#endif

void check(const Graph& graph) {
  INFO(graph.name);
  const Graph folded = nestling::fold_batch_norms(graph);
  const NcnnModel model = nestling::make_ncnn(folded, false);
  check_text(model.param);
  check_outputs(folded, model, 1e-3F);
  const NcnnModel half = nestling::make_ncnn(folded, true);
  CHECK(half.param == model.param);
  CHECK(half.bin.size() < model.bin.size());
  check_outputs(folded, half, 5e-2F);
}

}  // namespace

TEST_CASE("networks are written for ncnn") {
  for (const nestling::Architecture& architecture : nestling::architectures()) {
    const bool large = architecture.extent > 64;
    check(nestling::make_model(
        architecture.name,
        {.classes = 7, .height = large ? 64 : 32, .width = large ? 64 : 32, .multiplier = 0.25}));
  }
}

TEST_CASE("what segments, detects and generates is written for ncnn, or refused") {
  using nestling::Pad;
  using nestling::Resize;
  using Coordinates = Resize::Coordinates;
  const auto linear = Resize::Mode::linear;
  const auto image = nestling::Shape{nestling::kBatch, 6, 5, 7};
  const auto one = [&](const nestling::Op& op) {
    test::Builder b(3, image);
    const auto x = b.conv("conv", b.input(), 8, {});
    return b.finish(b.node("node", op, {x}));
  };
  check(one(Resize{.size = {10, 14},
                   .scale = {2, 2},
                   .coordinates = Coordinates::asymmetric,
                   .nearest = Resize::Nearest::floor}));
  check(one(Resize{.size = {10, 14}, .scale = {2, 2}, .mode = linear}));
  check(one(Resize{.size = {9, 4},
                   .scale = {1.8F, 4.0F / 7},
                   .mode = linear,
                   .coordinates = Coordinates::align_corners}));
  CHECK_THROWS_WITH(check(one(Resize{.size = {10, 14},
                                     .scale = {2, 2},
                                     .mode = linear,
                                     .coordinates = Coordinates::asymmetric})),
                    ContainsSubstring("ncnn would look at other places"));
  check(one(nestling::DepthToSpace{2, false}));
  check(one(nestling::DepthToSpace{2, true}));
  check(one(Pad{.before = {0, 1, 2, 0}, .after = {0, 2, 1, 3}, .value = 0.5F}));
  check(one(Pad{.before = {0, 0, 2, 0}, .after = {0, 0, 1, 3}, .mode = Pad::Mode::reflect}));
  check(one(Pad{.before = {0, 0, 2, 0}, .after = {0, 0, 1, 3}, .mode = Pad::Mode::edge}));
  CHECK_THROWS_WITH(check(one(Pad{.before = {0, 0, -1, 0}, .after = {0, 0, 0, 0}})),
                    ContainsSubstring("cuts off"));
  std::vector<int64_t> order{0, 1, 2, 3};
  do check(one(nestling::Transpose{order}));
  while (std::next_permutation(order.begin() + 1, order.end()));
  for (const int64_t groups : {1, 2, 8}) {
    test::Builder b(4, image);
    const auto x = b.conv("conv", b.input(), 8, {});
    check(b.finish(b.node("up",
                          nestling::ConvTranspose{.kernel = {3, 2},
                                                  .stride = {2, 3},
                                                  .dilation = {1, 2},
                                                  .padding = {1, 0, 0, 1},
                                                  .output_padding = {1, 0},
                                                  .groups = groups},
                          {x, b.constant("weight", {8, groups == 8 ? 1 : 3, 3, 2}, 0.4)})));
  }
}

TEST_CASE("random networks are written for ncnn, or refused by name") {
  int written = 0;
  test::for_random_networks(40, 12, [&](const Graph& graph, uint64_t) {
    try {
      check(graph);
      ++written;
    } catch (const std::exception& error) {
      CHECK_THAT(error.what(), ContainsSubstring("cannot be written for ncnn"));
    }
  });
  CHECK(written == 40);
}
