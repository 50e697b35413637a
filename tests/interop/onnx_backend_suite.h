// Runs every case of ONNX's backend suite with one engine.
#pragma once

#include <fstream>
#include <functional>
#include <iostream>
#include <map>

#include "interop/onnx_backend.h"
#include "support/catch.h"

#include "base/error.h"

namespace test {

// onnx_backend_exclusions.txt: "ENGINES NAME: REASON" a line, where ENGINES is "all" or the engine.
inline std::map<std::string, std::string> exclusions(const std::string& engine) {
  std::map<std::string, std::string> reasons;
  std::ifstream file(NESTLING_INTEROP "/onnx_backend_exclusions.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const size_t space = line.find(' '), colon = line.find(": ");
    REQUIRE(colon != std::string::npos);
    REQUIRE(space < colon);
    const std::string engines = line.substr(0, space);
    if (engines == "all" || engines == engine) {
      reasons[line.substr(space + 1, colon - space - 1)] = line.substr(colon + 2);
    }
  }
  return reasons;
}

inline void run_suite(
    const std::string& engine,
    const std::function<std::vector<nestling::Tensor>(const BackendCase&)>& outputs,
    double tolerance = 1e-5) {
  const std::map<std::string, std::string> excluded = exclusions(engine);
  size_t passed = 0, failed = 0;
  for (const std::string& name : backend_cases()) {
    std::string problem;
    try {
      const BackendCase backend_case = load_backend_case(name);
      const double d = difference(outputs(backend_case), backend_case.expected);
      if (!(d < tolerance)) problem = "differs by " + std::to_string(d);
    } catch (const std::exception& error) {
      problem = std::string(error.what()).substr(0, 200);
    }
    problem.empty() ? ++passed : ++failed;
    INFO(name << ": " << problem);
    if (excluded.contains(name)) {
      INFO("it passes, but onnx_backend_exclusions.txt leaves it out");
      CHECK_FALSE(problem.empty());
    } else {
      CHECK(problem.empty());
    }
  }
  std::cout << "ONNX backend suite, " << engine << ": " << passed << " cases pass, " << failed
            << " are left out\n";
  CHECK(passed > 300);
  CHECK(failed == excluded.size());
}

}  // namespace test
