// A folder in which the programs are run as a user runs them.
#pragma once

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/wait.h>

#include "support/catch.h"
#include "support/temporary_folder.h"
#include "support/test_dataset.h"

#include "base/file.h"

namespace test {

struct Outcome {
  int status = 0;
  std::string out, err;
};

// A folder with the data set "bars", in which commands run.
struct Workplace {
  TemporaryFolder folder;

  Workplace() { write_dataset(folder / "data/bars", 320, 40); }
  Outcome run(const std::string& command) const {
    const std::string line = "cd '" + folder.path().string() +
                             "' && { PATH='" NESTLING_BIN "':$PATH; " + command +
                             "; } > out 2> err";
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, nestling::read_file(folder / "out"),
            nestling::read_file(folder / "err")};
  }
  nlohmann::json result(const std::string& command) const {
    const Outcome outcome = run(command + " --json --threads 1");
    INFO(command << "\n" << outcome.err);
    REQUIRE(outcome.status == 0);
    return nlohmann::json::parse(outcome.out);
  }
};

}  // namespace test
