// Programs that are stopped: killed at random moments, interrupted, met by another process, or out
// of disk. What was finished is kept, and the next start ends with the bytes of an undisturbed run.
#include <chrono>
#include <fmt/format.h>
#include <random>

#include "support/catch.h"
#include "support/workplace.h"

#include "base/random.h"

using test::Outcome;
using test::Workplace;

namespace {

constexpr const char* kTrain =
    "nestling-train --arch small --data bars --epochs 12 --batch 16 --learning-rate 0.05 "
    "--threads 1 --out v.onnx";
// Hours of training, for the tests that stop it.
constexpr const char* kTrainLong =
    "nestling-train --arch small --data bars --epochs 100000 --batch 16 --threads 1 --out v.onnx";
constexpr const char* kPrune =
    "nestling-prune v.onnx --data bars --out run --min-accuracy 20 --iterations 6 --batch 16 "
    "--threads 1";
constexpr const char* kRecover =
    "nestling-recover run --data bars --growth full --capacities 4 --epochs 3 --batch 16 --threads "
    "1";

using Files = std::map<std::string, std::string>;

Files files_under(const std::filesystem::path& root) {
  Files files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) {
      files[std::filesystem::relative(entry.path(), root)] = nestling::read_file(entry.path());
    }
  }
  return files;
}

double seconds_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

// Runs `command` undisturbed; then anew, stopped again and again within its time by SIGKILL and
// SIGINT, until it ends by itself. All that it wrote must be the same.
void survives(const Workplace& work, const std::string& command, uint64_t seed) {
  const auto clean = [&] {
    for (const char* name : {"out", "err"}) std::filesystem::remove(work.folder / name);
  };
  clean();
  const std::string saved = work.folder.path().string() + ".before";
  std::filesystem::copy(work.folder.path(), saved, std::filesystem::copy_options::recursive);
  const double seconds = seconds_of([&] { REQUIRE(work.run(command).status == 0); });
  clean();
  const Files expected = files_under(work.folder.path());
  std::filesystem::remove_all(work.folder.path());
  std::filesystem::rename(saved, work.folder.path());

  nestling::Random random(seed);
  INFO(command << ", seed " << seed);
  int stopped = 0;
  for (int status = -1; status != 0;) {
    REQUIRE(stopped < 100);
    // The longer it takes, the later: a machine that has become slow gets through in the end.
    const double at = (0.05 + random.uniform() * (0.5 + 0.1 * stopped)) * seconds;
    const char* signal = random.below(3) == 0 ? "INT" : "KILL";
    status = work.run(fmt::format("timeout -s {} {:.3f} {}", signal, at, command)).status;
    INFO(nestling::read_file(work.folder / "err"));
    // timeout's own statuses for a command that it stopped.
    REQUIRE((status == 0 || status == 124 || status == 137));
    stopped += status != 0;
  }
  clean();
  const Files found = files_under(work.folder.path());
  for (const auto& [name, bytes] : expected) {
    INFO(name);
    REQUIRE(found.contains(name));
    CHECK(found.at(name) == bytes);
  }
  for (const auto& [name, bytes] : found) {
    INFO(name);
    CHECK(expected.contains(name));
  }
  WARN(command.substr(0, command.find(' '))
       << " was stopped " << stopped << " times, seed " << seed);
}

}  // namespace

TEST_CASE("stopped at random moments, the line goes on and ends with the same bytes") {
  const Workplace work;
  const uint64_t seed = std::random_device()();
  survives(work, kTrain, seed);
  survives(work, std::string(kPrune) + " --epochs 3", seed);
  survives(work, kRecover, seed);
}

TEST_CASE("SIGINT and SIGTERM say what is kept and how to go on") {
  const Workplace work;
  for (const char* signal : {"INT", "TERM"}) {
    const Outcome stopped =
        work.run(fmt::format("rm -f v.onnx.checkpoint; {} & pid=$!; until [ -e v.onnx.checkpoint "
                             "]; do sleep 0.01; done; "
                             "kill -{} $pid; wait $pid",
                             kTrainLong, signal));
    CHECK(stopped.status == (std::string(signal) == "INT" ? 130 : 143));
    CHECK_THAT(stopped.err,
               ContainsSubstring("nestling-train: stopped; epoch ") &&
                   ContainsSubstring(" of 100000 is kept: the same command goes on from there"));
    CHECK_FALSE(std::filesystem::exists(work.folder / "v.onnx"));
  }
  const Outcome other = work.run(kTrain);
  CHECK(other.status == 1);
  CHECK_THAT(other.err,
             ContainsSubstring("v.onnx.checkpoint is of a training with other settings"));
  const Outcome forced = work.run(std::string(kTrain) + " --force");
  CHECK(forced.status == 0);
  CHECK_THAT(forced.err, ContainsSubstring("discarded v.onnx.checkpoint"));
  CHECK_FALSE(std::filesystem::exists(work.folder / "v.onnx.checkpoint"));
}

TEST_CASE("a run has one owner and is discarded only by force") {
  const Workplace work;
  REQUIRE(work.run(kTrain).status == 0);
  const Outcome second = work.run(
      fmt::format("({} & pid=$!; while ! [ -e run/models/000.onnx ]; do sleep 0.01; done; "
                  "kill -STOP $pid; {}; status=$?; kill -CONT $pid; wait $pid && exit $status)",
                  kPrune, kPrune));
  CHECK(second.status == 1);
  CHECK_THAT(second.err, ContainsSubstring("run is in use by another process"));
  REQUIRE(work.run(kRecover).status == 0);
  const Files finished = files_under(work.folder / "run");

  const Outcome other = work.run(std::string(kPrune) + " --step 0.5");
  CHECK(other.status == 1);
  CHECK_THAT(other.err,
             ContainsSubstring("its step is 0.25, now 0.5") && ContainsSubstring("--force"));
  CHECK(files_under(work.folder / "run") == finished);
  const Outcome forced = work.run(std::string(kPrune) + " --step 0.5 --force");
  CHECK(forced.status == 0);
  CHECK_THAT(forced.err, ContainsSubstring("discarded from run: ") &&
                             ContainsSubstring("roadmap.json") && ContainsSubstring("full-4") &&
                             ContainsSubstring("models"));
  CHECK_FALSE(std::filesystem::exists(work.folder / "run/full-4"));
  CHECK(work.run(std::string(kRecover)).status == 0);
  const Outcome recovery = work.run(std::string(kRecover) + " --seed 2");
  CHECK(recovery.status == 1);
  CHECK_THAT(recovery.err, ContainsSubstring("its seed is 1, now 2"));
  CHECK_THAT(work.run(std::string(kRecover) + " --seed 2 --force").err,
             ContainsSubstring("discarded from run/full-4: capacity1.onnx, capacity2.onnx"));
}

TEST_CASE("on a full disk the last finished step stays usable") {
  const Workplace work;
  const std::string apart =
      "unshare $([ $(id -u) = 0 ] || echo --map-root-user) --mount --propagation unchanged ";
  if (work.run("mkdir try && " + apart + "sh -c 'mount -t tmpfs none try && umount try'").status !=
      0) {
    WARN("this machine lets nobody mount a file system; nothing to see");
    return;
  }
  REQUIRE(work.run(kTrain).status == 0);
  // Room for the first models and no more; then the same folder with room for all.
  const Outcome full = work.run(
      "mkdir run && " + apart +
      "sh -c '"
      "mount -t tmpfs -o size=950k none run || exit 99; " +
      std::string(kPrune) + "; status=$?; cp -r run kept; umount run; echo \"status $status\"'");
  INFO(full.err);
  REQUIRE(full.status == 0);
  CHECK_THAT(full.out, ContainsSubstring("status 1"));
  CHECK_THAT(full.err, ContainsSubstring("No space left on device"));
  std::filesystem::remove_all(work.folder / "run");
  std::filesystem::rename(work.folder / "kept", work.folder / "run");
  for (const auto& [name, bytes] : files_under(work.folder / "run")) {
    CHECK_THAT(name, !ContainsSubstring(".tmp"));
  }
  CHECK(std::filesystem::exists(work.folder / "run/models/001.onnx"));
  const Outcome resumed = work.run(kPrune);
  CHECK(resumed.status == 0);
  CHECK_THAT(resumed.err, ContainsSubstring("; going on"));
  const Files found = files_under(work.folder / "run");
  std::filesystem::remove_all(work.folder / "run");
  REQUIRE(work.run(kPrune).status == 0);
  CHECK(files_under(work.folder / "run") == found);
}
