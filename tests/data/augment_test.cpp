#include "data/augment.h"

#include <algorithm>
#include <set>

#include "support/catch.h"

#include "base/error.h"

using nestling::Augment;
using nestling::Dataset;

namespace {

// One image of one channel, 16 x 16, in which every pixel has a value of its own.
Dataset numbered() {
  Dataset data;
  data.name = "numbered";
  data.classes = {"a", "b"};
  data.mean = {0};
  data.deviation = {1.0F / 255};
  data.channels = 1;
  data.height = data.width = 16;
  for (int i = 0; i < 256; ++i) data.pixels.push_back(static_cast<uint8_t>(std::max(i, 1)));
  data.labels = {0};
  return data;
}

const std::vector<int64_t> kFirst = {0};

}  // namespace

TEST_CASE("nothing is changed where nothing is to be, and the same seed changes alike") {
  const Dataset data = numbered();
  CHECK(nestling::augmented(data, kFirst, {}, 1) == nestling::normalised(data, kFirst));
  const Augment all{true, true, true};
  CHECK(nestling::augmented(data, kFirst, all, 1) == nestling::augmented(data, kFirst, all, 1));
  CHECK(nestling::augmented(data, kFirst, all, 1) != nestling::augmented(data, kFirst, all, 2));
}

TEST_CASE("a crop moves the image by up to an eighth, and the mean comes in") {
  const Dataset data = numbered();
  const std::vector<float> plain = nestling::normalised(data, kFirst);
  std::set<std::pair<int, int>> moves;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const std::vector<float> moved = nestling::augmented(data, kFirst, {.crop = true}, seed);
    int matches = 0;
    for (int down = -2; down <= 2; ++down) {
      for (int right = -2; right <= 2; ++right) {
        bool same = true;
        for (int y = 0; y < 16; ++y) {
          for (int x = 0; x < 16; ++x) {
            const int fy = y - down, fx = x - right;
            const bool inside = fy >= 0 && fy < 16 && fx >= 0 && fx < 16;
            const float expected = inside ? plain[static_cast<size_t>(fy * 16 + fx)] : 0;
            same = same && moved[static_cast<size_t>(y * 16 + x)] == expected;
          }
        }
        if (same) moves.insert({down, right});
        matches += same ? 1 : 0;
      }
    }
    CHECK(matches == 1);
  }
  CHECK(moves.size() == 25);
}

TEST_CASE("a flip mirrors every second image, and says which") {
  const Dataset data = numbered();
  const std::vector<float> plain = nestling::normalised(data, kFirst);
  int flips = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    std::vector<uint8_t> flipped;
    const auto image = nestling::augmented(data, kFirst, {.flip = true}, seed, &flipped);
    std::vector<float> expected = plain;
    if (flipped[0] != 0) {
      ++flips;
      for (int y = 0; y < 16; ++y) {
        std::reverse(expected.begin() + y * 16, expected.begin() + (y + 1) * 16);
      }
    }
    CHECK(image == expected);
  }
  CHECK(flips > 150);
  CHECK(flips < 250);
}

TEST_CASE("cutout takes a square of at most half the size") {
  const Dataset data = numbered();
  const std::vector<float> plain = nestling::normalised(data, kFirst);
  std::ptrdiff_t most = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const auto image = nestling::augmented(data, kFirst, {.cutout = true}, seed);
    std::ptrdiff_t cut = 0;
    for (size_t i = 0; i < image.size(); ++i) {
      CHECK((image[i] == plain[i] || image[i] == 0));
      cut += image[i] == 0 ? 1 : 0;
    }
    CHECK(cut >= 16);
    most = std::max(most, cut);
  }
  CHECK(most == 64);
}

TEST_CASE("changes are named, and others refused") {
  CHECK(augment_text(nestling::parse_augment("cutout,flip")) == "flip,cutout");
  CHECK(augment_text(nestling::parse_augment("crop")) == "crop");
  CHECK(augment_text(nestling::parse_augment("none")) == "none");
  CHECK_THROWS_WITH(nestling::parse_augment("crop,blur"), Catch::Contains("\"blur\""));
}
