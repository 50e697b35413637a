#include "data/dataset.h"

#include <set>
#include <zlib.h>

#include "support/catch.h"
#include "support/temporary_folder.h"
#include "support/test_dataset.h"

#include "base/error.h"
#include "data/idx.h"

TEST_CASE("a data set is read and normalised") {
  const TemporaryFolder folder;
  test::write_dataset(folder / "bars", 20, 8);
  const auto data = nestling::load_dataset((folder / "bars").string(), "train");
  CHECK(data.size() == 20);
  CHECK(data.classes.at(3) == "fourth");
  CHECK((data.channels == 1 && data.height == 8 && data.width == 8));
  const int64_t indices[] = {5, 2};
  const auto batch = nestling::normalised(data, indices);
  REQUIRE(batch.size() == 128);
  CHECK(batch[0] == Approx((data.pixels[5 * 64] / 255.0 - 0.25) / 0.2));
  CHECK(batch[64] == Approx((data.pixels[2 * 64] / 255.0 - 0.25) / 0.2));
}

TEST_CASE("the validation split is the same for everybody and shares no image with the rest") {
  const TemporaryFolder folder;
  test::write_dataset(folder / "bars", 100, 8);
  const auto data = nestling::load_dataset((folder / "bars").string(), "train");
  const auto [rest, validation] = nestling::split_validation(data);
  const auto again = nestling::split_validation(data);
  CHECK(nestling::digest(validation) == nestling::digest(again.second));
  CHECK(nestling::digest(rest) != nestling::digest(validation));
  const auto images_of = [](const nestling::Dataset& part) {
    std::set<std::vector<uint8_t>> images;
    for (int64_t i = 0; i < part.size(); ++i) {
      images.insert({part.pixels.begin() + i * 64, part.pixels.begin() + (i + 1) * 64});
    }
    return images;
  };
  auto all = images_of(rest);
  CHECK(all.size() == 90);
  all.merge(images_of(validation));
  CHECK(all == images_of(data));
  CHECK_THROWS_WITH(nestling::split_validation(nestling::take(data, 9)),
                    ContainsSubstring("only 9 images"));
}

TEST_CASE("a few images of a data set that lies class by class are of all classes") {
  nestling::Dataset data;
  data.channels = data.height = data.width = 1;
  for (int32_t label = 0; label < 4; ++label) {
    data.labels.insert(data.labels.end(), 100, label);
    data.pixels.insert(data.pixels.end(), 100, static_cast<uint8_t>(label));
  }
  const nestling::Dataset some = nestling::take(data, 60);
  CHECK(some.size() == 60);
  for (int32_t label = 0; label < 4; ++label) {
    CHECK(std::count(some.labels.begin(), some.labels.end(), label) >= 5);
    CHECK(std::count(some.pixels.begin(), some.pixels.end(), label) ==
          std::count(some.labels.begin(), some.labels.end(), label));
  }
  CHECK(nestling::take(data, 60).pixels == some.pixels);
  CHECK(nestling::take(data, 1000).size() == 400);
}

TEST_CASE("a data set that does not fit is refused with its place") {
  const TemporaryFolder folder;
  test::write_dataset(folder / "bars", 20, 8);
  const auto load = [&](const char* split) {
    return nestling::load_dataset((folder / "bars").string(), split);
  };
  CHECK_THROWS_WITH(nestling::load_dataset("no-such-data", "train"),
                    ContainsSubstring("no-such-data") && ContainsSubstring("fetch.sh"));
  CHECK_THROWS_WITH(load("other"), ContainsSubstring("has no other split"));
  nestling::write_file(folder / "bars/train-labels", test::idx_header({2}) + "ab");
  CHECK_THROWS_WITH(load("train"), ContainsSubstring("20 images and 2 labels"));
  nestling::write_file(folder / "bars/test-labels", test::idx_header({8}) + "abcdefgh");
  CHECK_THROWS_WITH(load("test"), ContainsSubstring("the label 97"));
}

TEST_CASE("IDX files are read plain and gzipped, and refused when damaged") {
  const TemporaryFolder folder;
  const std::string good = test::idx_header({2, 3}) + "abcdef";
  const auto read = [&](const std::string& bytes) {
    nestling::write_file(folder / "x", bytes);
    return nestling::read_idx(folder / "x");
  };
  CHECK(read(good).shape == std::vector<int64_t>{2, 3});
  CHECK(read(good).data[5] == 'f');
  gzFile file = gzopen((folder / "x.gz").c_str(), "wb");
  gzwrite(file, good.data(), static_cast<unsigned>(good.size()));
  gzclose(file);
  CHECK(nestling::read_idx(folder / "x.gz").data == read(good).data);
  CHECK_THROWS_WITH(read(good.substr(0, 13)), ContainsSubstring("cut short"));
  CHECK_THROWS_WITH(read(good + "g"), ContainsSubstring("longer"));
  CHECK_THROWS_WITH(read("\x7f" + good), ContainsSubstring("not an IDX file"));
  CHECK_THROWS_WITH(read(test::idx_header({4000000000U, 4000000000U})),
                    ContainsSubstring("out of range"));
  CHECK_THROWS_WITH(read(test::idx_header({4000000000U}) + "a"), ContainsSubstring("cut short"));
}
