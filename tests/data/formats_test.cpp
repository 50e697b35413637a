// Data sets as users have them: found by looking, without a descriptor.
#include <png.h>
#include <turbojpeg.h>

#include "support/catch.h"
#include "support/schema.h"
#include "support/temporary_folder.h"
#include "support/test_dataset.h"

#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/descriptor.h"
#include "data/image.h"

using nestling::Dataset;

namespace {

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  nestling::write_file(path, bytes);
}

std::string ppm(int width, int height, nestling::Random& random) {
  std::string bytes = fmt::format("P6\n# made by a test\n{} {}\n255\n", width, height);
  for (int i = 0; i < width * height * 3; ++i) bytes += static_cast<char>(random.below(256));
  return bytes;
}

Dataset load(const std::filesystem::path& folder, const std::string& split,
             const nestling::LoadOptions& options = {}) {
  return nestling::load_dataset(folder.string(), split, options);
}

}  // namespace

TEST_CASE("the descriptors of known data sets follow their schema") {
  for (const char* name : {"fashion-mnist", "cifar10"}) {
    INFO(name);
    const std::string text =
        nestling::read_file(fmt::format("{}/../datasets/{}.json", NESTLING_SCHEMAS, name));
    test::check_schema(text, "dataset.schema.json");
    const TemporaryFolder folder;
    write(folder / "dataset.json", text);
    const nestling::DataDescriptor data = nestling::describe_data(folder.path().string());
    CHECK(data.name == name);
    CHECK(data.sizes.at("test") == 10000);
    CHECK(data.classes.size() == 10);
  }
}

TEST_CASE("CIFAR's binary files are found and read") {
  const TemporaryFolder folder;
  for (const auto& [name, label_bytes] : {std::pair{"ten", 1}, std::pair{"hundred", 2}}) {
    const auto record = [&, bytes = label_bytes](char label) {
      return std::string(static_cast<size_t>(bytes - 1), '\7') + label +
             std::string(1024, static_cast<char>(10 * label)) +
             std::string(1024, static_cast<char>(10 * label + 1)) + std::string(1024, '\0');
    };
    const bool ten = label_bytes == 1;
    if (ten) {
      for (int k = 1; k <= 5; ++k) {
        write(folder / name / fmt::format("data_batch_{}.bin", k), record(0) + record(1));
      }
    } else {
      write(folder / name / "train.bin", record(0) + record(1));
    }
    write(folder / name / (ten ? "test_batch.bin" : "test.bin"), record(2));
    write(folder / name / (ten ? "batches.meta.txt" : "fine_label_names.txt"), "cat\ndog\nowl\n\n");
    const Dataset train = load(folder / name, "train"), test = load(folder / name, "test");
    CHECK(train.name == name);
    CHECK(train.size() == (ten ? 10 : 2));
    CHECK((train.channels == 3 && train.height == 32 && train.width == 32));
    CHECK(train.classes == std::vector<std::string>{"cat", "dog", "owl"});
    CHECK(train.labels[1] == 1);
    CHECK(train.pixels[3072 + 1024] == 11);
    CHECK(test.labels == std::vector<int32_t>{2});
    CHECK(test.mean == train.mean);
    CHECK(train.mean[0] == Approx(5 / 255.0).margin(1e-4));
    CHECK(train.deviation[0] == Approx(5 / 255.0).margin(1e-4));
    write(folder / name / (ten ? "test_batch.bin" : "test.bin"), record(2) + "x");
    CHECK_THROWS_WITH(load(folder / name, "test"),
                      ContainsSubstring("is not a batch of CIFAR images"));
  }
}

TEST_CASE("a class has a name that can be written") {
  const TemporaryFolder folder;
  nestling::Random random(9);
  for (const char* name : {"caf\xe9", "cafe"}) {
    write(folder / "train" / name / "x.ppm", ppm(10, 10, random));
  }
  CHECK_THROWS_WITH(load(folder.path(), "train"),
                    ContainsSubstring("the class caf\xe9 is not UTF-8"));
}

TEST_CASE("MNIST's files are found, gzipped or not") {
  const TemporaryFolder folder;
  write(folder / "train-images-idx3-ubyte", test::idx_header({3, 1, 2}) + "abcdef");
  write(folder / "train-labels-idx1-ubyte", test::idx_header({3}) + std::string("\0\1\1", 3));
  const Dataset data = load(folder.path().string() + "/", "train");
  CHECK(data.classes == std::vector<std::string>{"0", "1"});
  CHECK(data.name == folder.path().filename());
  CHECK_THROWS_WITH(load(folder.path(), "test"), ContainsSubstring("t10k-images"));
}

TEST_CASE("folders of images are scaled, cropped, and what is broken is named and counted") {
  const TemporaryFolder folder;
  nestling::Random random(9);
  for (const char* split : {"train", "val"}) {
    for (const char* name : {"zebra", "ape"}) {
      for (int i = 0; i < 3; ++i) {
        write(folder / split / name / fmt::format("{}.ppm", i), ppm(10 + i, 10, random));
      }
      write(folder / split / name / "notes.txt", "no image");
    }
  }
  const Dataset train = load(folder.path(), "train");
  CHECK(train.classes == std::vector<std::string>{"ape", "zebra"});
  CHECK(train.labels == std::vector<int32_t>{0, 0, 0, 1, 1, 1});
  CHECK((train.channels == 3 && train.height == 10 && train.width == 10 && train.resize == 10));
  CHECK(load(folder.path(), "test").size() == 6);
  CHECK(load(folder.path(), "test").mean == train.mean);

  // What training sees of a file is what the tools that run a package see of it, bit for bit.
  for (const int64_t resize : {0, 9}) {
    const nestling::LoadOptions options{.channels = 3, .height = 6, .width = 8, .resize = resize};
    const Dataset data = load(folder.path(), "train", options);
    const int64_t first[] = {5};
    CHECK(
        nestling::normalised(data, first) ==
        nestling::load_image(folder / "train" / "zebra" / "2.ppm", {.channels = 3,
                                                                    .height = 6,
                                                                    .width = 8,
                                                                    .resize = resize,
                                                                    .mean = data.mean,
                                                                    .deviation = data.deviation}));
  }

  write(folder / "train" / "ape" / "broken.jpg", "no image either");
  CHECK_THROWS_WITH(load(folder.path(), "train"), ContainsSubstring("broken.jpg is not an image") &&
                                                      ContainsSubstring("1 of 7 images"));
  const Dataset rest = load(folder.path(), "train", {.max_bad = 1});
  CHECK(rest.size() == 6);
  REQUIRE(rest.skipped.size() == 1);
  CHECK_THAT(rest.skipped[0], ContainsSubstring("broken.jpg"));
  CHECK(rest.pixels == train.pixels);
  write(folder / "val" / "unicorn" / "1.ppm", ppm(4, 4, random));
  CHECK_THROWS_WITH(load(folder.path(), "test"),
                    ContainsSubstring("unicorn is not one of the 2 classes"));
  CHECK_THROWS_WITH(load(folder / "val", "train"), ContainsSubstring("holds no data set"));
}

TEST_CASE("images without labels come from a folder, or from folders of classes") {
  const TemporaryFolder folder;
  nestling::Random random(4);
  for (const char* name : {"flat/1.ppm", "flat/2.ppm", "flat/notes.txt", "data/train/ape/1.ppm",
                           "data/train/3.ppm", "data/train/zebra/1.ppm"}) {
    write(folder / name, ppm(4, 4, random));
  }
  const Dataset flat = load(folder / "flat", "train", {.unlabelled = true});
  CHECK(flat.size() == 2);
  CHECK(flat.classes.empty());
  CHECK(load(folder / "data", "train", {.unlabelled = true}).size() == 3);
  CHECK(load(folder / "data", "train").classes.size() == 2);
  CHECK_THROWS_WITH(load(folder / "flat", "train"), ContainsSubstring("no CLASS/ folders"));
  std::filesystem::create_directories(folder / "empty/train");
  CHECK_THROWS_WITH(load(folder / "empty", "train", {.unlabelled = true}),
                    ContainsSubstring("holds no images"));
}

TEST_CASE("a PNG comes out exactly, a JPEG closely, in colour and in grey") {
  const TemporaryFolder folder;
  std::vector<uint8_t> pixels;
  for (int i = 0; i < 16 * 8; ++i) {
    for (const int value : {i, 255 - i, 128}) pixels.push_back(static_cast<uint8_t>(value));
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = 16;
  image.height = 8;
  image.format = PNG_FORMAT_RGB;
  REQUIRE(png_image_write_to_file(&image, (folder / "x.png").c_str(), 0, pixels.data(), 0,
                                  nullptr) == 1);
  const std::string png = nestling::read_file(folder / "x.png");
  CHECK(nestling::decode_image(png, 3, "x.png").data == pixels);
  CHECK(nestling::decode_image(png, 1, "x.png").data.size() == 16 * 8);

  const tjhandle encoder = tjInitCompress();
  unsigned char* encoded = nullptr;
  unsigned long size = 0;
  REQUIRE(tjCompress2(encoder, pixels.data(), 16, 0, 8, TJPF_RGB, &encoded, &size, TJSAMP_444, 98,
                      0) == 0);
  const std::string jpeg(reinterpret_cast<char*>(encoded), size);
  tjFree(encoded);
  tjDestroy(encoder);
  const auto decoded = nestling::decode_image(jpeg, 3, "x.jpg").data;
  REQUIRE(decoded.size() == pixels.size());
  for (size_t i = 0; i < pixels.size(); ++i) CHECK(std::abs(decoded[i] - pixels[i]) <= 6);
  for (const std::string& bytes : {png, jpeg}) {
    for (size_t length = 0; length + 24 < bytes.size(); length += 7) {
      CHECK_THROWS_AS(nestling::decode_image(bytes.substr(0, length), 3, "x"), nestling::Error);
    }
  }
}
