#include "runtime/model.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <functional>
#include <thread>

#include "runtime/checksum.h"
#include "runtime/cpu.h"
#include "support/capacities.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/temporary_folder.h"

#include "base/error.h"
#include "base/file.h"
#include "graph/cost.h"
#include "graph/interpreter.h"
#include "graph/zoo.h"
#include "package/package.h"

using nestling::Graph;
using nestling::Growth;
using nestling::Tensor;
using nestling::runtime::Model;
using nestling::runtime::Status;
using nestling::runtime::StatusCode;

namespace {

// A package that is open.
struct Opened {
  TemporaryFolder folder;
  Model model;

  explicit Opened(const Graph& graph, int threads = 1) : model(open(graph, threads)) {}
  Model open(const Graph& graph, int threads) const {
    nestling::write_file(folder / "model.nest", nestling::make_package(graph, "test"));
    auto result = Model::open((folder / "model.nest").c_str(), {.threads = threads});
    INFO(result.status().text());
    REQUIRE(result.ok());
    return std::move(result.value());
  }
  std::vector<float> run(const Tensor& image) {
    REQUIRE(model.input_floats() == image.data.size());
    std::vector<float> output(model.output_floats());
    REQUIRE(model.run(image.data.data(), output.data()).ok());
    return output;
  }
};

Tensor image_for(const Graph& graph, nestling::Random& random) {
  nestling::Shape shape = graph.value(graph.inputs[0]).shape;
  shape[0] = 1;
  return test::random_tensor(shape, random);
}

std::vector<Graph> networks() {
  return {test::residual_network(1),
          test::every_op_network(2),
          test::chain_network(3),
          test::modern_network(4),
          nestling::make_model("resnet20", {.classes = 7, .multiplier = 0.5}),
          nestling::make_model("vgg16", {.classes = 7, .multiplier = 0.125})};
}

}  // namespace

TEST_CASE("a plain model becomes a package of one capacity with the interpreter's results") {
  nestling::Random random(5);
  for (const Graph& graph : networks()) {
    INFO(graph.name);
    const Tensor image = image_for(graph, random);
    const auto expected = nestling::interpret(graph, image).at(0).data;
    for (const int threads : {1, 3}) {
      Opened package(graph, threads);
      CHECK(package.model.header().capacities() == 1);
      REQUIRE(package.model.set_capacity(1).ok());
      test::check_close(package.run(image), expected);
    }
  }
}

TEST_CASE("every capacity has the interpreter's results, in any order of up- and downgrades") {
  const uint64_t seed = 99;
  INFO("seed " << seed);
  nestling::Random random(seed);
  for (const Growth growth : {Growth::full, Growth::causal}) {
    for (const Graph& graph : networks()) {
      INFO(graph.name << ", " << nestling::growth_name(growth));
      const int capacities = 4;
      const Graph nested = test::nested_graph(graph, growth, capacities, random);
      const auto nesting = nestling::nesting_of(nested, "test");
      Opened package(nested);
      REQUIRE(package.model.header().capacities() == capacities);
      const Tensor image = image_for(graph, random);
      std::vector<std::vector<float>> first;
      for (int k = 1; k <= capacities; ++k) {
        REQUIRE(package.model.set_capacity(static_cast<uint32_t>(k)).ok());
        first.push_back(package.run(image));
        test::check_close(
            first.back(),
            nestling::interpret(nestling::descend(nested, nesting, k), image).at(0).data);
      }
      for (int i = 0; i < 20; ++i) {
        const auto k = static_cast<uint32_t>(random.below(5));
        REQUIRE(package.model.set_capacity(k).ok());
        CHECK(package.model.capacity() == k);
        if (k > 0) CHECK(package.run(image) == first[k - 1]);
      }
    }
  }
}

TEST_CASE("groups of a convolution may see unequal parts of what is before them") {
  const nestling::Conv three{.kernel = {3, 3}, .padding = {1, 1, 1, 1}};
  const auto network = [&](int64_t one, int64_t other, int64_t filters) {
    test::Builder b(3);
    const auto x = b.conv_bn_relu("one", b.input(), one);
    const auto y = b.conv_bn_relu("other", b.input(), other);
    const auto both = nestling::add_node(b.graph, "concat", nestling::Concat{}, {x, y});
    const int64_t channels = one + other;
    const auto each = b.conv("each", both, filters * channels, three, true, channels);
    b.graph.outputs = {b.conv("grouped", each, 12, three, true, 2)};
    return b.graph;
  };
  nestling::Random random(5);
  // 8 of one layer, and its last 2 beside 6 of another; one of the two filters of a channel.
  for (const Graph& graph : {network(10, 6, 1), network(12, 1, 2)}) {
    const Tensor image = image_for(graph, random);
    Opened plain(graph);
    REQUIRE(plain.model.set_capacity(1).ok());
    test::check_close(plain.run(image), nestling::interpret(graph, image).at(0).data);
    const Graph nested = test::nested_graph(graph, Growth::full, 3, random);
    Opened package(nested);
    for (int k = 1; k <= 3; ++k) {
      REQUIRE(package.model.set_capacity(static_cast<uint32_t>(k)).ok());
      const Graph one = nestling::descend(nested, nestling::nesting_of(nested, "test"), k);
      test::check_close(package.run(image), nestling::interpret(one, image).at(0).data);
    }
  }
}

TEST_CASE("a smaller capacity holds less") {
  nestling::Random random(6);
  Opened package(test::nested_graph(test::chain_network(3), Growth::full, 3, random));
  Model& model = package.model;
  CHECK(model.footprint().weights_bytes == 0);
  uint64_t weights = 0, activations = 0;
  for (uint32_t k = 1; k <= 3; ++k) {
    REQUIRE(model.set_capacity(k).ok());
    CHECK(model.footprint().weights_bytes > weights);
    CHECK(model.footprint().activation_bytes >= activations);
    weights = model.footprint().weights_bytes;
    activations = model.footprint().activation_bytes;
  }
  REQUIRE(model.set_capacity(1).ok());
  CHECK(model.footprint().weights_bytes < weights);
  CHECK(model.set_capacity(4).code() == StatusCode::bad_argument);
  CHECK(model.capacity() == 1);
  REQUIRE(model.set_capacity(0).ok());
  float x = 0;
  CHECK(model.run(&x, &x).code() == StatusCode::bad_argument);
}

TEST_CASE("damaged packages are refused, and a damaged segment only when it is paged in") {
  nestling::Random random(7);
  const std::string bytes = nestling::make_package(
      test::nested_graph(test::every_op_network(2), Growth::full, 3, random), "x");
  const TemporaryFolder folder;
  const auto open = [&](const std::string& damaged) {
    nestling::write_file(folder / "x.nest", damaged);
    return Model::open((folder / "x.nest").c_str(), {});
  };
  CHECK(Model::open((folder / "none").c_str(), {}).status().code() == StatusCode::io);
  CHECK(open("NESTLIN").status().code() == StatusCode::bad_format);
  CHECK(open(bytes.substr(0, bytes.size() - 1)).status().code() == StatusCode::bad_format);
  std::string other = bytes;
  other[8] = 9;
  CHECK(open(other).status().text().find("version 9") != std::string::npos);
  other = bytes;
  other[40] = static_cast<char>(other[40] + 1);
  CHECK(open(other).status().code() == StatusCode::bad_checksum);
  other = bytes;
  other.back() = static_cast<char>(other.back() + 1);  // in the last segment
  auto model = open(other);
  REQUIRE(model.ok());
  CHECK(model.value().set_capacity(2).ok());
  CHECK(model.value().set_capacity(3).code() == StatusCode::bad_checksum);
  CHECK(model.value().capacity() == 0);
  CHECK(model.value().set_capacity(1).ok());
  CHECK(model.value().set_capacity(3).code() == StatusCode::bad_checksum);
}

TEST_CASE("a segment that was whole is not summed up again") {
  nestling::Random random(8);
  std::string bytes = nestling::make_package(
      test::nested_graph(test::every_op_network(2), Growth::full, 3, random), "x");
  auto opened = Model::open_memory(bytes.data(), bytes.size(), {});
  REQUIRE(opened.ok());
  Model& model = opened.value();
  REQUIRE(model.set_capacity(3).ok());
  REQUIRE(model.set_capacity(1).ok());
  bytes.back() = static_cast<char>(bytes.back() + 1);
  CHECK(model.set_capacity(3).ok());
}

TEST_CASE("a header that a stranger made is refused or runs, never worse") {
  const uint64_t seed = 20261126;
  INFO("seed " << seed);
  nestling::Random random(seed);
  const std::string bytes = nestling::make_package(
      test::nested_graph(test::every_op_network(2), Growth::full, 3, random), "x");
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 12, 4);
  const TemporaryFolder folder;
  int refused = 0, ran = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = bytes;
    for (uint64_t k = random.below(3); k < 3; ++k) {
      damaged[nestling::runtime::kPreambleBytes + random.below(length)] =
          static_cast<char>(random.below(256));
    }
    // The checksum is right: it guards against accidents, not against intent.
    const uint64_t checksum =
        nestling::runtime::checksum(damaged.data() + nestling::runtime::kPreambleBytes, length);
    std::memcpy(damaged.data() + 16, &checksum, 8);
    {
      std::ofstream file(folder / "x.nest", std::ios::binary);
      file << damaged;
    }
    auto opened = Model::open((folder / "x.nest").c_str(), {});
    if (!opened.ok()) {
      CHECK(opened.status().code() == StatusCode::bad_format);
      ++refused;
      continue;
    }
    Model& model = opened.value();
    if (model.input_floats() > 1000000 || model.output_floats() > 1000000) continue;
    for (uint32_t k = 1; k <= model.header().capacities(); ++k) {
      if (!model.set_capacity(k).ok()) break;
      const std::vector<float> input(model.input_floats(), 0.5F);
      std::vector<float> output(model.output_floats());
      REQUIRE(model.run(input.data(), output.data()).ok());
      ++ran;
    }
  }
  CHECK(refused > 500);
  CHECK(ran > 100);
}

TEST_CASE("a flipped bit anywhere is refused, or harmless") {
  nestling::Random random(9);
  const Graph nested = test::nested_graph(test::residual_network(1), Growth::full, 2, random);
  const std::string bytes = nestling::make_package(nested, "x");
  const TemporaryFolder folder;
  const Tensor image = image_for(nested, random);
  std::vector<float> expected;
  const auto try_file = [&](const std::string& content, std::vector<float>& output) {
    {
      std::ofstream file(folder / "x.nest", std::ios::binary);
      file << content;
    }
    auto opened = Model::open((folder / "x.nest").c_str(), {});
    if (!opened.ok()) return false;
    if (!opened.value().set_capacity(2).ok()) return false;
    output.resize(opened.value().output_floats());
    return opened.value().run(image.data.data(), output.data()).ok();
  };
  REQUIRE(try_file(bytes, expected));
  int refused = 0, harmless = 0;
  for (size_t at = 0; at < bytes.size(); at += 1 + random.below(40)) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random.below(8)));
    std::vector<float> output;
    if (!try_file(damaged, output)) {
      ++refused;
    } else {
      CHECK(output == expected);  // a bit between the segments
      ++harmless;
    }
  }
  CHECK(refused > 100);
  CHECK(harmless > 100);
  for (const size_t length : {size_t{0}, size_t{24}, size_t{16384}, bytes.size() - 4}) {
    std::vector<float> output;
    CHECK_FALSE(try_file(bytes.substr(0, length), output));
  }
}

TEST_CASE("a header that ends where a value should be is refused") {
  // Found by fuzzing: the protobuf reader looks at a bool's byte without asking whether it is
  // there.
  const std::string header = "\x10";
  std::string bytes(nestling::runtime::kMagic, 8);
  const uint32_t version = nestling::runtime::kVersion, length = 1;
  const uint64_t sum = nestling::runtime::checksum(header.data(), header.size());
  bytes.append(reinterpret_cast<const char*>(&version), 4);
  bytes.append(reinterpret_cast<const char*>(&length), 4);
  bytes.append(reinterpret_cast<const char*>(&sum), 8);
  bytes += header;
  const auto opened = Model::open_memory(bytes.data(), bytes.size(), {});
  CHECK(opened.status().code() == StatusCode::bad_format);
}

TEST_CASE("a model runs on the application's own threads, and is cancelled between layers") {
  nestling::Random random(12);
  const Graph graph = nestling::make_model("resnet20", {.classes = 7, .multiplier = 0.5});
  const Tensor image = image_for(graph, random);
  // Three threads that take parts in turn; on_call is called before them.
  struct Own {
    std::function<void()> on_call = [] {};
    int calls = 0;
  } own;
  const nestling::runtime::Workers workers{
      [](void* self, size_t count, void (*work)(void*, size_t), void* context) {
        auto& threads = *static_cast<Own*>(self);
        ++threads.calls;
        threads.on_call();
        std::vector<std::thread> running;
        std::atomic<size_t> next{0};
        for (int t = 0; t < 3; ++t) {
          running.emplace_back([&] {
            for (size_t i = next++; i < count; i = next++) work(context, i);
          });
        }
        for (std::thread& thread : running) thread.join();
      },
      &own};
  const std::string package = nestling::make_package(graph, "test");
  auto opened =
      Model::open_memory(package.data(), package.size(), {.threads = 3, .workers = workers});
  REQUIRE(opened.ok());
  Model& model = opened.value();
  REQUIRE(model.set_capacity(1).ok());
  std::vector<float> output(model.output_floats());
  model.cancel();  // nothing runs: nothing is cancelled
  REQUIRE(model.run(image.data.data(), output.data()).ok());
  test::check_close(output, nestling::interpret(graph, image).at(0).data);
  CHECK(own.calls > 5);

  const std::vector<float> first = output;
  std::fill(output.begin(), output.end(), 7.0F);
  own.calls = 0;
  own.on_call = [&] {
    if (own.calls == 3) model.cancel();
  };
  const auto status = model.run(image.data.data(), output.data());
  CHECK(status.code() == StatusCode::cancelled);
  CHECK(own.calls < 10);
  CHECK(std::all_of(output.begin(), output.end(), [](float v) { return v == 7.0F; }));
  own.on_call = [] {};
  REQUIRE(model.run(image.data.data(), output.data()).ok());
  CHECK(output == first);
}

TEST_CASE("a picture is prepared as the package says") {
  Graph graph = test::residual_network(1);
  const std::string package = nestling::make_package(graph, "test");
  auto opened = Model::open_memory(package.data(), package.size(), {});
  REQUIRE(opened.ok());
  Model& model = opened.value();
  const auto& header = model.header();
  const std::vector<uint8_t> white(48, 255);
  std::vector<float> input(model.input_floats());
  REQUIRE(model.prepare({white.data(), 4, 4}, input.data()).ok());
  const size_t area = input.size() / header.mean.size();
  for (size_t i = 0; i < input.size(); ++i) {
    const size_t c = i / area;
    REQUIRE(input[i] == (1.0F - header.mean[c]) / header.deviation[c]);
  }
  CHECK(model.prepare({}, input.data()).code() == StatusCode::bad_argument);
}

TEST_CASE("a model whose accelerator fails goes on on the CPU, if it may") {
  // The CPU, until something comes in its way.
  struct Failing : nestling::runtime::Accelerator {
    bool no_memory = false;
    int steps = 1 << 30;  // that it runs before it fails
    struct Backend : nestling::runtime::Backend {
      explicit Backend(Failing& owner) : of(owner) {}
      Failing& of;
      nestling::runtime::Cpu cpu;
      float* reserve(uint64_t bytes) override { return cpu.reserve(bytes); }
      void page_out(uint32_t) override {}
      Status prepare(const nestling::runtime::Plan&) override { return {}; }
      bool takes_pairs() const override { return false; }
      bool on_cpu(size_t) const override { return false; }
      size_t at_once(size_t) const override { return 1; }
      Status page_in(uint32_t, const float*, uint64_t) override {
        return of.no_memory ? Status(StatusCode::no_memory, "the accelerator is full") : Status();
      }
      Status run(const nestling::runtime::Plan& plan, size_t first, size_t last,
                 const nestling::runtime::ThreadPool& pool) override {
        if (of.steps-- <= 0) return {StatusCode::device, "the accelerator is gone"};
        return cpu.run(plan, first, last, pool);
      }
    };
    std::unique_ptr<nestling::runtime::Backend> backend(uint32_t) override {
      return std::make_unique<Backend>(*this);
    }
  };
  nestling::Random random(6);
  const Graph graph = test::nested_graph(test::residual_network(1), Growth::full, 3, random);
  const std::string package = nestling::make_package(graph, "test");
  std::vector<std::string> said;
  const auto open = [&](Failing* accelerator, bool fall_back) {
    said.clear();
    const auto write = [](void* self, const char* sentence) {
      static_cast<std::vector<std::string>*>(self)->emplace_back(sentence);
    };
    auto opened = Model::open_memory(
        package.data(), package.size(),
        {.accelerator = accelerator, .fall_back = fall_back, .log = {write, &said}});
    REQUIRE(opened.ok());
    return std::move(opened.value());
  };
  Model plain = open(nullptr, true);
  std::vector<float> input(plain.input_floats(), 0.5F);
  const auto run = [&](Model& model) {
    std::vector<float> output(model.output_floats());
    const Status status = model.run(input.data(), output.data());
    return std::pair(status, output);
  };
  REQUIRE(plain.set_capacity(2).ok());
  const std::vector<float> expected = run(plain).second;
  {
    Failing accelerator;
    Model model = open(&accelerator, true);
    REQUIRE(model.set_capacity(2).ok());
    CHECK(run(model).second == expected);
    CHECK(model.accelerator_failure().ok());
    accelerator.steps = 2;  // in the middle of an inference
    const auto [status, output] = run(model);
    REQUIRE(status.ok());
    CHECK(output == expected);
    CHECK(model.accelerator_failure().text() == "the accelerator is gone");
    CHECK(model.capacity() == 2);
    REQUIRE(model.set_capacity(3).ok());
    CHECK(run(model).first.ok());
    const auto held = model.footprint();
    REQUIRE(said.size() == 3);
    CHECK_THAT(said[0], ContainsSubstring("capacity 2: "));
    CHECK(said[1] == "layers run on the CPU from now on: the accelerator is gone");
    CHECK(said[2] == "capacity 3: " + std::to_string(held.weights_bytes) + " bytes of weights, " +
                         std::to_string(held.activation_bytes) + " of activations");
  }
  {
    Failing accelerator;
    accelerator.no_memory = true;
    Model model = open(&accelerator, true);
    REQUIRE(model.set_capacity(2).ok());
    CHECK(run(model).second == expected);
    CHECK(model.accelerator_failure().text() == "the accelerator is full");
  }
  Failing accelerator;
  Model model = open(&accelerator, false);
  REQUIRE(model.set_capacity(2).ok());
  accelerator.steps = 0;
  CHECK(run(model).first.text() == "the accelerator is gone");
  CHECK(model.accelerator_failure().ok());
}
