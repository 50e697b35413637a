// The recipes of docs/recipes, on small folders in the layout of their data.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/schema.h"
#include "support/workplace.h"

#include "base/file.h"
#include "base/random.h"

using test::Workplace;

namespace {

// Pictures of `classes` colours.
void write_pictures(const std::filesystem::path& folder, int classes) {
  nestling::Random random(5);
  for (const char* split : {"train", "test"}) {
    for (int n = 0; n < 12 * classes; ++n) {
      const auto place = folder / split / fmt::format("{:05}", n % classes);
      std::filesystem::create_directories(place);
      std::string bytes = "P6 40 40 255\n";
      for (int i = 0; i < 40 * 40; ++i) {
        for (int channel = 0; channel < 3; ++channel) {
          const int colour = n % classes * (channel + 3) * 37 % 160;
          bytes += static_cast<char>(colour + static_cast<int>(random.below(90)));
        }
      }
      nestling::write_file(place / fmt::format("{}.ppm", n), bytes);
    }
  }
}

}  // namespace

TEST_CASE("each recipe goes from a folder of pictures to a profile") {
  const Workplace work;
  write_pictures(work.folder / "pictures", 3);
  for (const char* name : {"vc", "vs", "vg", "ri50", "ri100", "rp"}) {
    INFO(name);
    const auto outcome = work.run(fmt::format(
        "NESTLING_BIN='" NESTLING_BIN "' SCALE=0.01 SIZE=32 WIDTH=0.1 " NESTLING_SOURCE
        "/docs/recipes/recipe.sh {} $PWD/pictures $PWD/{} --batch 8 --threads 2 --quiet",
        name, name));
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    const std::string profile = nestling::read_file(work.folder / name / "profile.json");
    test::check_schema(profile, "profile.schema.json");
    const auto json = nlohmann::json::parse(profile);
    CHECK(json["capacities"].size() == 5);
    CHECK(json["capacities"][0]["macs"] < 0.2 * json["vanilla"]["macs"].get<double>());
  }
  CHECK(work.run(NESTLING_SOURCE "/docs/recipes/recipe.sh cats pictures out").status == 2);
}
