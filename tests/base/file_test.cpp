#include "base/file.h"

#include <fstream>

#include "support/catch.h"
#include "support/temporary_folder.h"

#include "base/error.h"

TEST_CASE("a written file is read back, and nothing else is left behind") {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\n", 4);
  nestling::write_file(folder / "x", "old");
  nestling::write_file(folder / "x", bytes);
  CHECK(nestling::read_file(folder / "x") == bytes);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("reading is refused with a sentence that names the file") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(nestling::read_file(folder / "none"),
                    ContainsSubstring("cannot open") && ContainsSubstring("none"));
  CHECK_THROWS_WITH(nestling::read_file(folder.path()), ContainsSubstring("is a folder"));
  nestling::write_file(folder / "x", "12345");
  CHECK_THROWS_WITH(nestling::read_file(folder / "x", 4), ContainsSubstring("at most 4"));
}

TEST_CASE("a write that fails keeps the old file") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(nestling::write_file(folder / "no/x", "1"),
                    ContainsSubstring("does not exist"));
  std::filesystem::create_directory(folder / "directory");
  CHECK_THROWS_WITH(nestling::write_file(folder / "directory", "1"),
                    ContainsSubstring("is a folder"));
}

TEST_CASE("sha256 of the test vector of FIPS 180-2") {
  CHECK(nestling::sha256("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
