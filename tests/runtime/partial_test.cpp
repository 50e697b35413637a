// A package that is used while it still arrives.
#include <fstream>

#include "runtime/model.h"
#include "support/catch.h"
#include "support/packaged.h"
#include "support/temporary_folder.h"

#include "base/file.h"

using nestling::runtime::Model;
using nestling::runtime::StatusCode;

namespace {

void append(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::app) << bytes;
}

}  // namespace

TEST_CASE("of a package that still arrives the capacities that are whole can be run") {
  const TemporaryFolder folder;
  const test::Packaged packaged(folder, "whole");
  const std::string bytes = nestling::read_file(packaged.path);
  const std::filesystem::path path = folder / "arriving.nest";
  std::vector<size_t> ends;  // of the segments
  size_t header = 0;
  {
    auto whole = Model::open(packaged.path.c_str(), {});
    for (const auto& segment : whole.value().header().segments) {
      ends.push_back(segment.offset + segment.bytes);
    }
    header = whole.value().header().segments[0].offset;
  }
  nestling::write_file(path, bytes.substr(0, header));
  CHECK_FALSE(Model::open(path.c_str(), {}).ok());  // unless it is asked for
  auto opened = Model::open(path.c_str(), {.partial = true});
  REQUIRE(opened.ok());
  Model& model = opened.value();
  CHECK(model.available() == 0);
  CHECK(model.set_capacity(1).code() == StatusCode::bad_argument);

  size_t there = header;
  const auto arrive = [&](size_t end) {
    append(path, bytes.substr(there, end - there));
    there = end;
    REQUIRE(model.refresh().ok());
  };
  for (uint32_t k = 1; k <= 3; ++k) {
    arrive(ends[k - 1] - 1);
    CHECK(model.available() == k - 1);
    arrive(ends[k - 1]);
    CHECK(model.available() == k);
    REQUIRE(model.set_capacity(k).ok());
    std::vector<float> scores(model.output_floats());
    REQUIRE(model.run(packaged.input.data(), scores.data()).ok());
    CHECK(scores == packaged.expected(static_cast<int>(k)));
    if (k < 3) {
      const auto status = model.set_capacity(k + 1);
      CHECK(status.code() == StatusCode::bad_argument);
      CHECK(status.text().find("has not arrived yet") != std::string::npos);
      CHECK(model.capacity() == k);  // which stays in use
    }
  }
  CHECK(model.set_capacity(4).text().find("there is no capacity") != std::string::npos);
  std::filesystem::resize_file(path, ends[1]);
  CHECK(model.refresh().code() == StatusCode::io);
}

TEST_CASE("what arrives damaged is refused, and what was there before stays in use") {
  const TemporaryFolder folder;
  const test::Packaged packaged(folder, "whole");
  std::string bytes = nestling::read_file(packaged.path);
  const std::filesystem::path path = folder / "arriving.nest";
  auto whole = Model::open(packaged.path.c_str(), {});
  const auto& segments = whole.value().header().segments;
  const size_t first = segments[0].offset + segments[0].bytes;
  nestling::write_file(path, bytes.substr(0, first));
  auto opened = Model::open(path.c_str(), {.partial = true});
  REQUIRE(opened.ok());
  Model& model = opened.value();
  REQUIRE(model.set_capacity(1).ok());
  bytes[segments[1].offset + 10] ^= 1;
  append(path, bytes.substr(first));
  REQUIRE(model.refresh().ok());
  CHECK(model.available() == 3);
  CHECK(model.set_capacity(2).code() == StatusCode::bad_checksum);
  REQUIRE(model.set_capacity(1).ok());
  std::vector<float> scores(model.output_floats());
  REQUIRE(model.run(packaged.input.data(), scores.data()).ok());
  CHECK(scores == packaged.expected(1));
}
