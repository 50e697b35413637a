#include "runtime/tuning.h"

#include <cmath>

#include "runtime/cache_file.h"
#include "runtime/model.h"
#include "support/catch.h"
#include "support/temporary_folder.h"

#include "base/file.h"
#include "base/random.h"
#include "graph/zoo.h"
#include "package/package.h"

using nestling::runtime::ConvMethod;
using nestling::runtime::Methods;
using nestling::runtime::Model;
using nestling::runtime::Tuning;

namespace {

// Convolutions of 3x3 pixels and more of them than channels: Winograd's way fits.
std::string package_bytes() {
  return nestling::make_package(
      nestling::make_model("small", {.classes = 4, .height = 64, .width = 64}), "test");
}

Model open(const std::string& package, const std::string& tuning, nestling::runtime::Log log = {}) {
  auto opened = Model::open_memory(package.data(), package.size(), {.tuning = tuning, .log = log});
  INFO(opened.status().text());
  REQUIRE(opened.ok());
  return std::move(opened.value());
}

std::vector<float> run(Model& model) {
  nestling::Random random(3);
  std::vector<float> input(model.input_floats()), output(model.output_floats());
  for (float& value : input) value = static_cast<float>(random.uniform());
  REQUIRE(model.run(input.data(), output.data()).ok());
  return output;
}

// The outputs of a model that computes as a file says, in which these methods are kept.
std::vector<float> run_with(const std::string& package, const std::string& file,
                            const Methods& methods) {
  Model model = open(package, file);
  const uint64_t key = nestling::runtime::tuning_key(model.header(), 1, 1);
  REQUIRE(Tuning(file).keep(key, methods).ok());
  REQUIRE(model.set_capacity(1).ok());
  CHECK(Tuning(file).find(key) == methods);  // nothing was measured
  return run(model);
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max<double>(largest, std::abs(a[i] - b[i]));
  }
  return largest;
}

}  // namespace

TEST_CASE("a model computes as its tuning file says") {
  const TemporaryFolder folder;
  const std::string package = package_bytes(), file = (folder / "tuning").string();
  const size_t nodes = open(package, "").header().nodes.size();
  const auto direct = run_with(package, file, Methods(nodes, ConvMethod::direct));
  const auto winograd = run_with(package, file, Methods(nodes, ConvMethod::winograd));
  const double difference = largest_difference(direct, winograd);
  CHECK(difference > 0);  // another order of sums
  CHECK(difference < 1e-4);
}

TEST_CASE("what is measured is kept, for each capacity and number of threads") {
  const TemporaryFolder folder;
  const std::string package = package_bytes(), file = (folder / "tuning").string();
  Model model = open(package, file);
  REQUIRE(model.set_capacity(1).ok());
  const auto output = run(model);
  const std::string kept = nestling::read_file(file);
  const auto known = Tuning(file).find(nestling::runtime::tuning_key(model.header(), 1, 1));
  CHECK(known.size() == model.header().nodes.size());

  REQUIRE(model.set_capacity(0).ok());
  REQUIRE(model.set_capacity(1).ok());
  CHECK(run(model) == output);
  CHECK(nestling::read_file(file) == kept);
  Model again = open(package, file);
  REQUIRE(again.set_capacity(1).ok());
  CHECK(run(again) == output);
  CHECK(nestling::read_file(file) == kept);

  const auto& header = model.header();
  CHECK(Tuning(file).find(nestling::runtime::tuning_key(header, 1, 2)).empty());
  CHECK(again.set_capacity(2).code() == nestling::runtime::StatusCode::bad_argument);
}

TEST_CASE("a tuning file that is damaged or somebody else's changes no answer") {
  const TemporaryFolder folder;
  const std::string package = package_bytes(), file = (folder / "tuning").string();
  Model plain = open(package, "");
  REQUIRE(plain.set_capacity(1).ok());
  const auto expected = run(plain);
  const auto check_answer = [&] {
    Model model = open(package, file);
    REQUIRE(model.set_capacity(1).ok());
    CHECK(largest_difference(run(model), expected) < 1e-4);
    return nestling::runtime::tuning_key(model.header(), 1, 1);
  };
  const uint64_t key = check_answer();
  const std::string kept = nestling::read_file(file);
  nestling::Random random(5);
  for (int i = 0; i < 20; ++i) {
    std::string damaged = kept;
    if (i % 2 == 0) damaged.resize(random.below(damaged.size()));
    if (i % 2 == 1) damaged[random.below(damaged.size())] ^= 1;
    nestling::write_file(file, damaged);
    CHECK(Tuning(file).find(key).empty());
  }
  // With a right checksum: too short, of more methods than there are, and of others.
  const auto data = [&](uint64_t count, const std::string& methods) {
    const uint64_t head[] = {key, count};
    return std::string(reinterpret_cast<const char*>(head), sizeof head) + methods;
  };
  for (const std::string& bad :
       {std::string(15, '\0'), data(100, "\1\1"), data(~uint64_t{0}, "\1"), data(2, "\1\3"),
        data(0, ""), data(2, "\1\2"), data(4096, std::string(4096, '\2'))}) {
    REQUIRE(nestling::runtime::write_cache(file, bad).ok());
    check_answer();
  }
}

TEST_CASE("a tuning file that cannot be written is said, and no failure") {
  const TemporaryFolder folder;
  const std::string package = package_bytes();
  std::string said;
  const auto write = [](void* self, const char* sentence) {
    *static_cast<std::string*>(self) += sentence;
  };
  Model model = open(package, (folder / "none/tuning").string(), {write, &said});
  CHECK(model.set_capacity(1).ok());
  CHECK(said.find("none/tuning cannot be written") != std::string::npos);
  run(model);
  // What was measured is known until the model closes.
  said.clear();
  CHECK(model.set_capacity(0).ok());
  CHECK(model.set_capacity(1).ok());
  CHECK(said.find("cannot be written") == std::string::npos);
}
