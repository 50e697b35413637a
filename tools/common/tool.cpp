#include "common/tool.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fmt/format.h>
#include <new>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/error.h"

namespace nestling {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string duration(double seconds) {
  const auto whole = std::llround(seconds);
  if (whole >= 3600)
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

ConsoleProgress::ConsoleProgress(bool quiet)
    : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

ConsoleProgress::~ConsoleProgress() { clear_line(); }

void ConsoleProgress::clear_line() {
  if (line_open_) fmt::print(stderr, "\r\033[K");
  line_open_ = false;
}

void ConsoleProgress::begin(const std::string& task, int64_t steps) {
  task_ = task;
  steps_ = steps;
  begun_ = shown_ = now();
}

void ConsoleProgress::update(int64_t done, const std::string& detail) {
  const double time = now();
  if (quiet_ || time - shown_ < (terminal_ ? 0.1 : 10) || done < 1) return;
  shown_ = time;
  const double left =
      (time - begun_) / static_cast<double>(done) * static_cast<double>(steps_ - done);
  if (!terminal_) {
    fmt::print(stderr, "{}: {}/{} {}, {} left\n", task_, done, steps_, detail, duration(left));
    return;
  }
  constexpr int64_t kCells = 24;
  const auto full = static_cast<size_t>(steps_ > 0 ? kCells * done / steps_ : kCells);
  fmt::print(stderr, "\r\033[K{} [{:<24}] {}/{} {}, {} left", task_, std::string(full, '#'), done,
             steps_, detail, duration(left));
  std::fflush(stderr);
  line_open_ = true;
}

void ConsoleProgress::note(const std::string& sentence) {
  if (quiet_) return;
  clear_line();
  fmt::print(stderr, "{}\n", sentence);
}

Tool::Tool(const std::string& name, const std::string& what_for, const std::string& example)
    : app(what_for, name) {
  app.footer("Example:\n  " + example +
             "\n\nExit status: 0 done, 1 failed, 2 wrong usage, 3 done but a gate is not met.");
  app.option_defaults()->always_capture_default();
  app.set_version_flag("--version", name + " " NESTLING_VERSION);
  app.set_config("--config", "", "Read flags from an INI or TOML file");
  app.add_flag("--json", common.json, "Print the result as one JSON object on standard output");
  app.add_flag("--quiet", common.quiet, "No progress, only errors and the result");
  app.add_option("--seed", common.seed, "Seed of everything random")->type_name("N");
  app.add_option("--threads", common.threads, "Threads; 0 is one per core")
      ->check(CLI::Range(0, 256))
      ->type_name("N");
}

int Tool::main(int argc, char** argv, const std::function<int(Progress&)>& run) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kWrongUsage;
  }
  std::string problem;
  try {
    ConsoleProgress progress(common.quiet);
    return run(progress);
  } catch (const Error& error) {
    problem = error.what();
  } catch (const std::bad_alloc&) {
    problem = "there is not enough memory";
  } catch (const std::exception& error) {
    // LibTorch's messages carry a stack trace after the first line.
    problem = error.what();
    problem = "unexpected error: " + problem.substr(0, problem.find('\n'));
  }
  fmt::print(stderr, "{}: {}\n", app.get_name(), problem);
  return kFailed;
}

void wait_without_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  ::execv("/proc/self/exe", argv);  // returns only if it fails, and then it is only slower
}

void Tool::print(const std::string& text, const Json& json) const {
  fmt::print("{}", common.json ? json_text(json) : text);
}

}  // namespace nestling
