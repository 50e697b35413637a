
#include "support/catch.h"
#include "support/temporary_folder.h"

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "data/image.h"
#include "data/npy.h"

TEST_CASE("an image is scaled, cropped and normalised") {
  const TemporaryFolder folder;
  // 4 x 2 pixels, grey; the left half black, the right half white.
  nestling::write_file(folder / "x.pgm",
                       std::string("P5 4 2 255\n\0\0\xff\xff\0\0\xff\xff", 11 + 8));
  nestling::ImageInput input{
      .channels = 1, .height = 2, .width = 2, .resize = 2, .mean = {0.5F}, .deviation = {0.25F}};
  // The centre: the last black and the first white column.
  CHECK(nestling::load_image(folder / "x.pgm", input) == std::vector<float>{-2, 2, -2, 2});
  input.resize = 0;
  const auto squeezed = nestling::load_image(folder / "x.pgm", input);
  CHECK(squeezed[0] < -1);
  CHECK(squeezed[1] > 1);
  input = {.channels = 3, .height = 2, .width = 4, .mean = {0, 0, 0}, .deviation = {1, 1, 1}};
  CHECK(nestling::load_image(folder / "x.pgm", input).size() == 24);
  nestling::write_file(folder / "y.png", "no image");
  CHECK_THROWS_WITH(nestling::load_image(folder / "y.png", input),
                    ContainsSubstring("y.png is not an image"));
  nestling::write_file(folder / "z.pgm", "P5 16000 16000 255\n");
  CHECK_THROWS_WITH(nestling::load_image(folder / "z.pgm", input), ContainsSubstring("more than"));
}

TEST_CASE("scaling follows the closed form of the triangle filter") {
  // Halved: the first pixel is of the pixels 0, 1, 2 with weights 0.75, 0.75, 0.25 of 1.75.
  const nestling::Pixels row{1, 1, 4, {0, 0, 255, 255}};
  CHECK(nestling::scale_image(row, {.channels = 1, .height = 1, .width = 2}, "x") ==
        std::vector<uint8_t>{36, 219});
  // Doubled: a quarter and three quarters of the neighbours.
  const nestling::Pixels column{1, 2, 1, {0, 200}};
  CHECK(nestling::scale_image(column, {.channels = 1, .height = 4, .width = 1}, "x") ==
        std::vector<uint8_t>{0, 50, 150, 200});
  // Sizes are refused before memory is asked for, also those that 32 bits would cut.
  for (const int64_t side : {int64_t{0}, (int64_t{1} << 32) + 1, int64_t{1} << 40}) {
    CHECK_THROWS_WITH(
        nestling::scale_image(row, {.channels = 1, .height = side, .width = 1}, "x.png"),
        ContainsSubstring("x.png cannot be scaled to"));
  }
  CHECK_THROWS_WITH(
      nestling::scale_image(
          row, {.channels = 1, .height = 1, .width = 1, .resize = int64_t{1} << 33}, "x.png"),
      ContainsSubstring("x.png cannot be scaled to"));
  // One colour stays it, at any size.
  nestling::Random random(3);
  for (int i = 0; i < 100; ++i) {
    const auto side = [&] { return 1 + static_cast<int64_t>(random.below(40)); };
    nestling::Pixels flat{3, side(), side(), {}};
    flat.data.assign(static_cast<size_t>(3 * flat.height * flat.width), 77);
    for (const uint8_t pixel :
         nestling::scale_image(flat, {.height = side(), .width = side(), .resize = side()}, "x")) {
      REQUIRE(pixel == 77);
    }
  }
}

TEST_CASE("a Huffman table with too many codes is refused") {
  // Found by fuzzing: a decoder that counts the codes too late writes behind its table.
  std::string jpeg("\xff\xd8\xff\xc4\x10\x03\x00", 7);
  jpeg += std::string(16, '\xff') + std::string(4096, '\x11') + "\xff\xd9";
  CHECK_THROWS_WITH(nestling::decode_image(jpeg, 3, "x.jpg"),
                    ContainsSubstring("x.jpg is damaged"));
}

TEST_CASE("NumPy files come back, and damaged ones are refused") {
  const nestling::NpyArray array{{2, 3}, {1, 2, 3, 4, 5, 6}};
  const std::string bytes = nestling::npy_bytes(array);
  CHECK(bytes.size() == 64 * 2 + 24);
  const auto back = nestling::parse_npy(bytes, "x");
  CHECK((back.shape == array.shape && back.data == array.data));
  CHECK(nestling::parse_npy(nestling::npy_bytes({{3}, {1, 2, 3}}), "x").shape.size() == 1);
  for (size_t length = 0; length < bytes.size(); ++length) {
    CHECK_THROWS_AS(nestling::parse_npy(bytes.substr(0, length), "x"), nestling::Error);
  }
  std::string doubles = bytes;
  doubles.replace(doubles.find("<f4"), 3, "<f8");
  CHECK_THROWS_WITH(nestling::parse_npy(doubles, "x.npy"),
                    ContainsSubstring("x.npy") && ContainsSubstring("float32"));
}
