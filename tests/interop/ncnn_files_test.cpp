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
  ncnn::Mat out;
  REQUIRE(extractor.extract(graph.value(graph.outputs[0]).name.c_str(), out) == 0);
  REQUIRE(out.dims == 1);
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
  CHECK(written > 20);
}
