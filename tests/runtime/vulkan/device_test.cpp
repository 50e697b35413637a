// Packages on the first GPU there is, beside the CPU; of a machine without one, Mesa's lavapipe.
#include "runtime/vulkan/device.h"

#include <array>

#include "runtime/host.h"
#include "runtime/model.h"
#include "support/capacities.h"
#include "support/gpu.h"
#include "support/nested_graph.h"
#include "support/packaged.h"
#include "support/random_graph.h"
#include "support/temporary_folder.h"

#include "base/file.h"
#include "graph/zoo.h"
#include "package/package.h"

using nestling::Graph;
using nestling::Growth;
using nestling::runtime::Accelerator;
using nestling::runtime::Host;
using nestling::runtime::Model;
using nestling::runtime::StatusCode;
using nestling::runtime::WeightType;
using nestling::runtime::vulkan::Device;
using nestling::runtime::vulkan::Winograd;

namespace {

Model open(const std::string& package, Accelerator* accelerator) {
  auto opened = Model::open_memory(package.data(), package.size(), {.accelerator = accelerator});
  INFO(opened.status().text());
  REQUIRE(opened.ok());
  return std::move(opened.value());
}

// The CPU and a GPU compute the same. Returns how many layers of the largest capacity ran on the
// CPU after all.
size_t check_same(const Graph& graph, WeightType weights, nestling::Random& random,
                  Device& device = test::gpu()) {
  const std::string package = nestling::make_package(graph, "test", {weights});
  nestling::Shape shape = graph.value(graph.inputs[0]).shape;
  shape[0] = 1;
  const nestling::Tensor image = test::random_tensor(shape, random);
  Model on_cpu = open(package, nullptr), on_gpu = open(package, &device);
  const auto expected = test::outputs_down_and_up(on_cpu, image);
  const auto found = test::outputs_down_and_up(on_gpu, image);
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) test::check_close(found[i], expected[i]);
  return on_gpu.cpu_layers().nodes.size();
}

// For a grey image, at capacity 1.
std::vector<float> run(Model& model) {
  REQUIRE(model.set_capacity(1).ok());
  std::vector<float> input(model.input_floats(), 0.5F), output(model.output_floats());
  REQUIRE(model.run(input.data(), output.data()).ok());
  return output;
}

}  // namespace

TEST_CASE("the GPU computes what the CPU computes, at every capacity", "[random]") {
  test::gpu();  // with the validation layer
  std::vector<std::unique_ptr<Device>> devices;
  for (const bool subgroups : {true, false}) {
    for (const Winograd winograd : {Winograd::always, Winograd::never}) {
      auto opened = Device::open(0, {.subgroups = subgroups, .winograd = winograd});
      REQUIRE(opened.ok());
      devices.push_back(std::move(opened.value()));
    }
  }
  test::for_random_networks(60, 8, [&](const Graph& graph, uint64_t seed) {
    nestling::Random random(seed);
    const Growth growths[] = {Growth::causal, Growth::full, Growth::joint};
    const Graph nested = test::nested_graph(graph, growths[random.below(3)],
                                            1 + static_cast<int>(random.below(4)), random);
    const bool half = random.below(4) == 0;
    const WeightType weights = half ? WeightType::float16 : WeightType::float32;
    check_same(nested, weights, random, *devices[seed % devices.size()]);
  });
}

TEST_CASE("the networks of the zoo run on the GPU, all of their layers") {
  nestling::Random random(5);
  for (const std::string& name : nestling::zoo_names()) {
    INFO(name);
    const Graph graph =
        nestling::make_model(name, {.classes = 4, .height = 32, .width = 32, .multiplier = 0.25});
    const Graph nested = test::nested_graph(graph, Growth::full, 2, random);
    CHECK(check_same(nested, WeightType::float32, random) == 0);
  }
}

TEST_CASE("Winograd's convolutions on the GPU compute what the CPU computes") {
  nestling::Random random(11);
  test::gpu();
  for (const bool subgroups : {true, false}) {
    const auto device = Device::open(0, {.subgroups = subgroups, .winograd = Winograd::always});
    REQUIRE(device.ok());
    for (const char* name : {"resnet18", "vgg16", "small"}) {
      INFO(name);
      // Maps whose sides are no multiples of a tile, and several blocks a layer.
      const Graph graph =
          nestling::make_model(name, {.classes = 4, .height = 37, .width = 45, .multiplier = 0.25});
      const Graph nested = test::nested_graph(graph, Growth::full, 3, random);
      for (const WeightType weights : {WeightType::float32, WeightType::float16}) {
        CHECK(check_same(nested, weights, random, *device.value()) == 0);
      }
    }
  }
}

TEST_CASE("Winograd's convolutions are chosen where they pay, and what they keep is given back") {
  test::gpu();
  // Of large maps, where a quarter of the multiplications is worth transforming the weights.
  const Graph graph =
      nestling::make_model("vgg16", {.classes = 4, .height = 96, .width = 96, .multiplier = 0.5});
  const std::string package = nestling::make_package(graph, "test");
  std::vector<uint64_t> dispatches, bytes;
  for (const Winograd winograd : {Winograd::never, Winograd::where_it_pays, Winograd::always}) {
    const auto device = Device::open(0, {.slice_ms = 0, .winograd = winograd});
    REQUIRE(device.ok());
    Model model = open(package, device.value().get());
    run(model);
    dispatches.push_back(device.value()->counters().dispatches);
    bytes.push_back(device.value()->counters().allocated_bytes);
    REQUIRE(model.set_capacity(0).ok());
    CHECK(device.value()->counters().allocated_bytes == 0);
  }
  for (size_t i = 1; i < 3; ++i) {
    CHECK(dispatches[i] > dispatches[i - 1]);
    CHECK(bytes[i] > bytes[i - 1]);
  }
}

TEST_CASE("the GPU reads and writes pixels that lie apart from each other") {
  nestling::Random random(6);
  CHECK(check_same(test::wide_network(3), WeightType::float32, random) == 0);
}

TEST_CASE("a GPU that is not there is refused") {
  const auto opened = Device::open(99);
  CHECK(opened.status().code() == StatusCode::bad_argument);
  CHECK(opened.status().text().find("no GPU 99") != std::string::npos);
}

TEST_CASE("an upgrade uploads what it adds, and a downgrade gives it back") {
  nestling::Random random(7);
  const Graph graph = nestling::make_model("small", {.classes = 4, .height = 32, .width = 32});
  const std::string package =
      nestling::make_package(test::nested_graph(graph, Growth::full, 3, random, true), "test");
  test::gpu();
  const auto device = Device::open(0, {.share_segments = false});
  REQUIRE(device.ok());
  const auto counters = [&] { return device.value()->counters(); };
  const uint64_t before = counters().allocated_bytes;
  {
    Model model = open(package, device.value().get());
    CHECK(counters().allocated_bytes == before);
    std::vector<uint64_t> held;
    for (uint32_t k = 1; k <= 3; ++k) {
      const uint64_t uploaded = counters().uploaded_bytes;
      REQUIRE(model.set_capacity(k).ok());
      CHECK(counters().uploaded_bytes - uploaded == model.header().segments[k - 1].bytes);
      held.push_back(counters().allocated_bytes);
    }
    CHECK(held[2] > held[1]);
    CHECK(held[1] > held[0]);
    const uint64_t uploaded = counters().uploaded_bytes;
    REQUIRE(model.set_capacity(1).ok());
    CHECK(counters().uploaded_bytes == uploaded);
    CHECK(counters().allocated_bytes == held[0]);
    REQUIRE(model.set_capacity(0).ok());
    CHECK(counters().allocated_bytes == before);
    REQUIRE(model.set_capacity(2).ok());
  }
  CHECK(counters().allocated_bytes == before);
}

TEST_CASE("segments of a file are read in place where the CPU's memory is the GPU's") {
  const TemporaryFolder folder;
  nestling::Random random(7);
  const Graph graph = nestling::make_model("small", {.classes = 4, .height = 32, .width = 32});
  const auto path = (folder / "m.nest").string();
  nestling::write_file(path, nestling::make_package(
                                 test::nested_graph(graph, Growth::full, 3, random, true), "test"));
  test::gpu();
  std::vector<std::vector<float>> outputs;
  for (const bool share : {true, false}) {
    const auto device = Device::open(0, {.share_segments = share});
    REQUIRE(device.ok());
    {
      auto opened = Model::open(path.c_str(), {.accelerator = device.value().get()});
      REQUIRE(opened.ok());
      Model& model = opened.value();
      uint64_t bytes = 0;
      for (uint32_t k = 1; k <= 3; ++k) {
        REQUIRE(model.set_capacity(k).ok());
        bytes += model.header().segments[k - 1].bytes;
        const auto counters = device.value()->counters();
        CHECK(counters.shared_bytes + counters.uploaded_bytes >= bytes);
        CHECK(counters.shared_bytes + counters.uploaded_bytes < bytes + 3 * 16);
        if (!share) CHECK(counters.shared_bytes == 0);
        // Mesa's lavapipe can.
        if (share && device.value()->info().kind == "cpu") CHECK(counters.uploaded_bytes == 0);
      }
      std::vector<float> input(model.input_floats(), 0.5F);
      REQUIRE(model.run(input.data(), outputs.emplace_back(model.output_floats()).data()).ok());
    }
    const auto counters = device.value()->counters();
    CHECK(counters.shared_bytes == 0);
    CHECK(counters.allocated_bytes == 0);
  }
  CHECK(outputs[0] == outputs[1]);
}

TEST_CASE("an inference is cut into slices") {
  nestling::Random random(7);
  const Graph graph = nestling::make_model("resnet20", {.classes = 4, .height = 32, .width = 32});
  const std::string package = nestling::make_package(graph, "test");
  test::gpu();  // with the validation layer
  std::vector<std::vector<float>> outputs;
  const auto submissions = [&](double slice_ms) {
    const auto device = Device::open(0, {.slice_ms = slice_ms});
    REQUIRE(device.ok());
    Model model = open(package, device.value().get());
    run(model), run(model);  // which times the layers
    const auto before = device.value()->counters();
    outputs.push_back(run(model));
    const auto after = device.value()->counters();
    CHECK(after.dispatches - before.dispatches >= model.header().nodes.size() - 10);
    return after.submissions - before.submissions;
  };
  CHECK(submissions(0) == 1);
  const uint64_t each = submissions(1e-6);
  CHECK(each >= 100);  // several for each layer, which are cut to pieces
  CHECK(submissions(1e6) == 1);
  CHECK(outputs[1] == outputs[0]);
  CHECK(outputs[2] == outputs[0]);
}

TEST_CASE("layers that are cut to pieces compute what they compute whole") {
  test::gpu();
  const Winograd winograd = GENERATE(Winograd::never, Winograd::always);
  const auto whole = Device::open(0, {.slice_ms = 0, .winograd = winograd});
  const auto cut = Device::open(0, {.slice_ms = 1e-6, .winograd = winograd});
  REQUIRE((whole.ok() && cut.ok()));
  std::vector<Graph> graphs{test::residual_network(1), test::every_op_network(2),
                            test::modern_network(4)};
  for (uint64_t seed = 1; seed <= 20; ++seed) graphs.push_back(test::random_network(seed));
  for (const Graph& graph : graphs) {
    const std::string package = nestling::make_package(graph, "test");
    // The first two inferences time the layers; the third has another image, so that nothing of
    // theirs is right.
    const auto third = [&](Accelerator& device) {
      Model model = open(package, &device);
      REQUIRE(model.set_capacity(1).ok());
      std::vector<std::vector<float>> outputs;
      for (const float grey : {0.3F, 0.3F, 0.7F}) {
        std::vector<std::vector<float>> inputs;
        std::vector<const float*> from;
        std::vector<float*> to;
        outputs.clear();
        for (size_t i = 0; i < model.header().inputs.size(); ++i) {
          from.push_back(inputs.emplace_back(model.input_floats(i), grey).data());
        }
        for (size_t i = 0; i < model.header().outputs.size(); ++i) {
          to.push_back(outputs.emplace_back(model.output_floats(i)).data());
        }
        REQUIRE(model.run(from.data(), to.data()).ok());
      }
      return outputs;
    };
    CHECK(third(*cut.value()) == third(*whole.value()));
  }
}

TEST_CASE("a GPU computes in float16 as long as the outputs bear it") {
  test::gpu();
  nestling::Random random(7);
  const Graph graph = nestling::make_model("small", {.classes = 4, .height = 16, .width = 16});
  const std::string package =
      nestling::make_package(test::nested_graph(graph, Growth::full, 2, random), "test");
  Model on_cpu = open(package, nullptr);
  const nestling::Tensor image = test::random_tensor({1, 3, 16, 16}, random);
  const auto expected = test::outputs_down_and_up(on_cpu, image);
  const auto outputs = [&](double error, bool& half) {
    const auto device = Device::open(0, {.half_error = error});
    REQUIRE(device.ok());
    Model model = open(package, device.value().get());
    auto found = test::outputs_down_and_up(model, image);
    half = device.value()->half_failure().ok();
    if (!half) {
      CHECK_THAT(device.value()->half_failure().text(), ContainsSubstring("float16"));
    }
    return found;
  };
  bool half = false;
  const auto exact = outputs(0, half);
  CHECK(outputs(1e-9, half) == exact);
  CHECK_FALSE(half);
  const auto found = outputs(1e-2, half);
  if (!half) {
    WARN("this GPU does not compute in float16");
    return;
  }
  CHECK(found != exact);
  for (size_t i = 0; i < found.size(); ++i) {
    float most = 0;
    for (const float value : expected[i]) most = std::max(most, std::abs(value));
    for (size_t n = 0; n < found[i].size(); ++n) {
      CHECK(std::abs(found[i][n] - expected[i][n]) <= 1e-2F * most);
    }
  }
}

TEST_CASE("what a GPU cannot do is refused") {
  nestling::Random random(7);
  const Graph graph = nestling::make_model("small", {.classes = 4, .height = 16, .width = 16});
  const std::string package =
      nestling::make_package(test::nested_graph(graph, Growth::causal, 2, random), "test");
  const auto opened = Model::open_memory(package.data(), package.size(),
                                         {.refinable = true, .accelerator = &test::gpu()});
  CHECK(opened.status().code() == StatusCode::bad_argument);
}

TEST_CASE("compiled kernels are kept in a file, of which only a whole one is believed") {
  const TemporaryFolder folder;
  const std::string file = (folder / "kernels").string();
  nestling::Random random(7);
  const std::string package = nestling::make_package(
      nestling::make_model("small", {.classes = 4, .height = 16, .width = 16}), "test");
  test::gpu();  // with the validation layer
  const auto run_and_keep = [&] {
    const auto device = Device::open(0, {.cache = file});
    REQUIRE(device.ok());
    Model model = open(package, device.value().get());
    const std::vector<float> output = run(model);
    REQUIRE(device.value()->save_cache().ok());
    return output;
  };
  const std::vector<float> expected = run_and_keep();
  const std::string kept = nestling::read_file(file);
  CHECK(kept.size() > 32);
  CHECK(run_and_keep() == expected);
  for (int i = 0; i < 20; ++i) {
    std::string damaged = kept;
    if (i % 2 == 0) damaged.resize(random.below(damaged.size()));
    if (i % 2 == 1)
      damaged[random.below(damaged.size())] ^= static_cast<char>(1 + random.below(255));
    nestling::write_file(file, damaged);
    CHECK(run_and_keep() == expected);
    CHECK(nestling::read_file(file) == kept);
  }
  const auto device = Device::open(0, {.cache = (folder / "none/kernels").string()});
  CHECK(device.value()->save_cache().ok());  // nothing was compiled
  Model model = open(package, device.value().get());
  REQUIRE(model.set_capacity(1).ok());
  const auto status = device.value()->save_cache();
  CHECK(status.code() == StatusCode::io);
  CHECK(status.text().find("none/kernels cannot be written") != std::string::npos);
}

TEST_CASE("a host has the GPU as a second processor") {
  const TemporaryFolder folder;
  const test::Packaged camera(folder, "camera");
  test::Packaged voice(folder, "voice");
  voice.goals.processor = nestling::runtime::Processor::accelerator;
  const auto before = test::gpu().counters();
  {
    auto made = Host::make(
        {.device = {uint64_t{1} << 30}, .accelerator = &test::gpu(), .watch_memory = false});
    REQUIRE(made.ok());
    Host& host = *made.value();
    const auto add = [&](const test::Packaged& packaged) {
      auto id = host.add(packaged.path.c_str(), packaged.goals);
      REQUIRE(id.ok());
      return id.value();
    };
    const auto on_cpu = add(camera), on_gpu = add(voice);
    for (int i = 0; i < 40; ++i) {
      // Capacities go up and down while both compute.
      const uint64_t budget = i % 4 == 0 ? camera.memory(1) + voice.memory(1) : uint64_t{1} << 30;
      REQUIRE(host.set_device({budget}).ok());
      const float *first = camera.input.data(), *second = voice.input.data();
      auto frames = std::array{host.submit(on_cpu, &first), host.submit(on_gpu, &second)};
      const auto one = frames[0].get(), other = frames[1].get();
      REQUIRE((one.status.ok() && other.status.ok()));
      CHECK(one.outputs[0] == camera.expected(one.capacity));
      test::check_close(other.outputs[0], voice.expected(other.capacity));
    }
  }
  const auto after = test::gpu().counters();
  CHECK(after.submissions > before.submissions);
  CHECK(after.allocated_bytes == before.allocated_bytes);
}
