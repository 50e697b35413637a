// Programs that train with several processes.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/free_port.h"
#include "support/workplace.h"

using test::Outcome;
using test::Workplace;

TEST_CASE("train, prune and recover share their batches among workers") {
  const Workplace work;
  const auto two = [&](const std::string& command) {
    return work.result(command + " --workers 2");
  };
  const auto trained =
      two("nestling-train --arch small --data bars --epochs 4 --batch 32 --learning-rate 0.05 "
          "--out v.onnx");
  CHECK(trained["accuracy"] > 0.9);
  const auto roadmap = two(
      "nestling-prune v.onnx --data bars --out run --min-accuracy 40 --iterations 2 --batch 32");
  REQUIRE(roadmap["entries"].size() == 3);
  for (const char* growth : {"full", "causal", "joint"}) {
    INFO(growth);
    const auto recovered =
        two(fmt::format("nestling-recover run --data bars --capacities 3 --epochs 2 --batch 32 "
                        "--growth {}",
                        growth));
    for (const auto& capacity : recovered["capacities"]) CHECK(capacity["accuracy"] > 0.5);
  }
}

TEST_CASE("as torchrun starts them, only the first process needs and writes files") {
  const Workplace work;
  const auto process = [&](int rank, const char* data, const char* out) {
    return fmt::format(
        "WORLD_SIZE=2 RANK={} LOCAL_WORLD_SIZE=2 nestling-train --arch small --data {} --epochs 2 "
        "--batch 32 --quiet --out {}",
        rank, data, out);
  };
  const Outcome both = work.run(fmt::format(
      "export MASTER_ADDR=localhost MASTER_PORT={}; {} & {}; "
      "first=$?; wait $! && exit $first",
      test::free_port(), process(1, "nowhere", "other.onnx"), process(0, "bars", "v.onnx")));
  INFO(both.err);
  CHECK(both.status == 0);
  CHECK(std::filesystem::exists(work.folder / "v.onnx"));
  CHECK_FALSE(std::filesystem::exists(work.folder / "other.onnx"));

  const auto wrong = [&](const char* environment) {
    return work
        .run(std::string(environment) + " nestling-train --arch small --data bars --out v.onnx")
        .err;
  };
  CHECK_THAT(wrong("WORLD_SIZE=2"), ContainsSubstring("RANK is not"));
  CHECK_THAT(wrong("WORLD_SIZE=2 RANK=2"),
             ContainsSubstring("RANK is 2, not a number from 0 to 1"));
}

TEST_CASE("a device that LibTorch does not have is refused before anything is done") {
  const Workplace work;
  for (const char* command :
       {"nestling-train --arch small --data bars --out v.onnx", "nestling-recover run --data bars",
        "nestling-prune v.onnx --data bars --out run"}) {
    INFO(command);
    const Outcome outcome = work.run(std::string(command) + " --workers 2 --device cuda:77");
    CHECK(outcome.status == 1);
    CHECK_THAT(outcome.err, ContainsSubstring("there is no device cuda:77"));
  }
}

TEST_CASE("a worker that dies ends the run with a sentence, and the run goes on later") {
  const Workplace work;
  const std::string train =
      "nestling-train --arch small --data bars --epochs 400 --batch 32 --workers 2 --threads 1 "
      "--out v.onnx";
  // The worker is the process whose parent is the tool.
  const Outcome outcome =
      work.run(train +
               " & tool=$!; while [ ! -e v.onnx.checkpoint ]; do sleep 0.05; done; "
               "kill -KILL $(cat /proc/$tool/task/$tool/children); wait $tool");
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.err, ContainsSubstring("one of the 2 processes of this training is gone"));
  const Outcome again =
      work.run(train +
               " 2> again.txt & tool=$!; while kill -0 $tool && ! grep 'going on after epoch' "
               "again.txt; do sleep 0.05; done; kill -INT $tool; wait $tool");
  CHECK_THAT(again.out, ContainsSubstring("going on after epoch"));
}
