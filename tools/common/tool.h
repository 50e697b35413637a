// What every tool shares: flags, progress on a terminal or in a log, errors and exit status.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/json.h"
#include "base/progress.h"
#include "data/dataset.h"

namespace nestling {

// Exit statuses; CLI11's own for wrong usage are mapped to kWrongUsage.
enum ExitStatus { kDone = 0, kFailed = 1, kWrongUsage = 2, kGateNotMet = 3 };

struct CommonFlags {
  bool json = false;
  bool quiet = false;
  uint64_t seed = 1;
  int threads = 0;  // 0: one per core
};

// Adds --backend, --gpu and --gpu-fp16: where models run, and how.
void add_processor_flags(CLI::App& app, std::string& backend, size_t& gpu, double& half_error);

// Shows progress on standard error: a bar with the time left on a terminal, otherwise a line when a
// task begins and at most one every ten seconds. Nothing when quiet, but for errors.
class ConsoleProgress : public Progress {
 public:
  explicit ConsoleProgress(bool quiet);
  ~ConsoleProgress() override;

  void begin(const std::string& task, int64_t steps) override;
  void update(int64_t done, const std::string& detail) override;
  void kept(const std::string& what) override { kept_ = what; }
  void note(const std::string& sentence) override;

  // Clears the bar, before something else is printed.
  void finish();

  // What the last call of kept said; empty if there was none.
  const std::string& kept_so_far() const { return kept_; }

 private:
  bool quiet_;
  bool terminal_;
  bool line_open_ = false;
  std::string task_;
  std::string kept_;
  int64_t steps_ = 0;
  double begun_ = 0;
  double shown_ = 0;
};

// One tool: its flags are added to `app`, `run` does the work.
class Tool {
 public:
  // `example` is one or more command lines of real use, shown by --help.
  Tool(const std::string& name, const std::string& what_for, const std::string& example);

  CLI::App app;
  CommonFlags common;

  // Parses the command line and calls `run`, which returns an ExitStatus. An Error is printed as
  // one sentence; the result is the process's exit status.
  int main(int argc, char** argv, const std::function<int(Progress&)>& run);

  // For tools whose work goes on when they are started again: from now on SIGINT and SIGTERM end
  // it at the next step of its progress, and the process says what was kept and dies of the signal.
  // The second signal kills at once.
  static void stop_between_steps();

  // Prints the tool's result: `json` with --json, `text` otherwise.
  void print(const std::string& text, const Json& json) const;
};

// --data and --max-bad, for tools that load a data set.
struct DataFlags {
  std::string name;
  int64_t max_bad = 0;

  CLI::Option* add_to(CLI::App& app);

  // Loads a split as `options` (max_bad aside) asks for, and names the images that were skipped.
  Dataset load(const std::string& split, LoadOptions options, Progress& progress) const;
};

// For tools that train: OpenMP's threads spin while they wait, unless told otherwise before the
// process starts, and a step takes several times as long when other programs want the cores. Starts
// the program again with OMP_WAIT_POLICY=passive if the variable is not set. Call it first.
void wait_without_spinning(char** argv);

}  // namespace nestling
