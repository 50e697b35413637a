#include "base/run_directory.h"

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/temporary_folder.h"

#include "base/error.h"
#include "base/file.h"

using nestling::RunDirectory;

TEST_CASE("a run is continued only with the settings that it began with") {
  const TemporaryFolder folder;
  nestling::Progress quiet;
  const nestling::Json settings = {{"seed", 1}, {"rank", "trr"}};
  { const RunDirectory run(folder / "run", "run.json", settings, quiet); }
  {
    const RunDirectory run(folder / "run", "run.json", settings, quiet);
    run.commit("models/000.onnx", "bytes");
    CHECK(nestling::read_file(folder / "run/models/000.onnx") == "bytes");
  }
  CHECK_THROWS_WITH(
      RunDirectory(folder / "run", "run.json", nestling::Json{{"seed", 2}, {"rank", "trr"}}, quiet),
      ContainsSubstring("its seed is 1, now 2"));
}

TEST_CASE("a run in use, a file and a foreign folder are refused") {
  const TemporaryFolder folder;
  nestling::Progress quiet;
  const nestling::Json settings = {{"seed", 1}};
  const RunDirectory run(folder / "run", "run.json", settings, quiet);
  CHECK_THROWS_WITH(RunDirectory(folder / "run", "run.json", settings, quiet),
                    ContainsSubstring("in use"));
  nestling::write_file(folder / "file", "");
  CHECK_THROWS_WITH(RunDirectory(folder / "file", "run.json", settings, quiet),
                    ContainsSubstring("is a file"));
  std::filesystem::create_directory(folder / "killed");
  nestling::write_file(folder / "killed/run.json.tmp99999999", "{");
  { const RunDirectory early(folder / "killed", "run.json", settings, quiet); }
  CHECK_FALSE(std::filesystem::exists(folder / "killed/run.json.tmp99999999"));
  CHECK_THROWS_WITH(RunDirectory(folder.path(), "run.json", settings, quiet),
                    ContainsSubstring("holds no run"));
}
