// The libraries include each other only along the edges that docs/architecture.md draws.
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "support/catch.h"

#include "base/file.h"

namespace fs = std::filesystem;

TEST_CASE("includes follow the architecture") {
  const std::map<std::string, std::set<std::string>> allowed = {
      {"base", {}},
      {"runtime", {}},
      {"graph", {"base"}},
      {"data", {"base", "runtime"}},
      {"train", {"base", "graph", "data"}},
      {"prune", {"base", "graph", "data", "train"}},
      {"recover", {"base", "graph", "data", "train", "prune"}},
      {"package", {"base", "graph", "runtime"}},
      {"measure", {"base", "data", "runtime"}},
      {"profile", {"base", "graph", "measure", "package", "runtime"}},
      {"simulate", {"base", "runtime"}},
  };
  const fs::path lib = fs::path(NESTLING_SOURCE) / "lib";
  const std::regex include("#include ([<\"])([a-z_]+)/([^\">]+)");
  int edges = 0;
  for (const auto& entry : fs::recursive_directory_iterator(lib)) {
    const std::string extension = entry.path().extension();
    if (extension != ".h" && extension != ".cpp") continue;
    const std::string library = *fs::relative(entry.path(), lib).begin();
    REQUIRE(allowed.contains(library));
    const std::string text = nestling::read_file(entry.path());
    for (std::sregex_iterator at(text.begin(), text.end(), include), end; at != end; ++at) {
      INFO(fs::relative(entry.path(), lib).string() << ": " << at->str());
      const std::string folder = (*at)[2];
      CHECK_FALSE((folder == "torch" && (*at)[3] == "torch.h"));
      if ((*at)[1] != "\"") continue;
      ++edges;
      CHECK((folder == library || allowed.at(library).contains(folder)));
    }
    if (library == "runtime") {
      CHECK(text.find("nlohmann") == std::string::npos);
      CHECK(text.find("google/protobuf") == std::string::npos);
    }
  }
  CHECK(edges > 100);
}
