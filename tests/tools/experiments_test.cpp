// The machinery of docs/results.md, on a data set on which it takes seconds.
#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/workplace.h"

using test::Outcome;
using test::Workplace;

TEST_CASE("the experiment on accuracy makes its table, and goes on where it was") {
  const Workplace work;
  const std::string command =
      "NESTLING_BIN='" NESTLING_BIN "' WIDTH=0.5 EPOCHS=2 RETRAIN=1 GROW=2 " NESTLING_SOURCE
      "/tools/experiments.sh accuracy $PWD/data/bars $PWD/accuracy";
  const Outcome outcome = work.run(command);
  INFO(outcome.out << outcome.err);
  REQUIRE(outcome.status == 0);
  for (const char* row : {"share of the MACs, %", "nested, joint", "nested, full", "nested, causal",
                          "slimmable, from scratch", "TRR, retrained one by one",
                          "L1, retrained one by one", "from scratch", "distilled, longer"}) {
    CHECK_THAT(outcome.out, ContainsSubstring(row));
  }
  const std::string table = outcome.out.substr(outcome.out.find("share of the MACs"));
  const Outcome again = work.run(command);
  CHECK(again.out == table);  // nothing is measured anew
}

TEST_CASE("the ablation has a line for each choice") {
  const Workplace work;
  const Outcome outcome =
      work.run("NESTLING_BIN='" NESTLING_BIN "' WIDTH=0.5 EPOCHS=1 " NESTLING_SOURCE
               "/tools/experiments.sh ablation $PWD/data/bars $PWD/ablation");
  INFO(outcome.out << outcome.err);
  REQUIRE(outcome.status == 0);
  for (const char* line : {"  rank-taylor-test", "  reconstruct-test", "  global-test",
                           "  joint-fresh-test", "  full-labels-only-test"}) {
    CHECK_THAT(outcome.out, ContainsSubstring(line));
  }
}
