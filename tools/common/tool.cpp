#include "common/tool.h"

#include <chrono>
#include <cmath>
#include <csignal>
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

volatile std::sig_atomic_t stop_signal = 0;

void on_signal(int signal) {
  stop_signal = signal;
  constexpr char kText[] = "\nstopping after this step; once more to stop at once\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kText, sizeof kText - 1);
}

struct Stopped {};

void stop_if_asked() {
  if (stop_signal != 0) throw Stopped();
}

}  // namespace

ConsoleProgress::ConsoleProgress(bool quiet)
    : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

ConsoleProgress::~ConsoleProgress() { finish(); }

void ConsoleProgress::finish() {
  if (line_open_) fmt::print(stderr, "\r\033[K");
  line_open_ = false;
}

void ConsoleProgress::begin(const std::string& task, int64_t steps) {
  task_ = task;
  steps_ = steps;
  begun_ = shown_ = now();
}

void ConsoleProgress::update(int64_t done, const std::string& detail) {
  stop_if_asked();
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
  stop_if_asked();
  if (quiet_) return;
  finish();
  fmt::print(stderr, "{}\n", sentence);
}

Tool::Tool(const std::string& name, const std::string& what_for, const std::string& example)
    : app(what_for, name) {
  app.footer("Example:\n  " + example +
             "\n\nExit status: 0 done, 1 failed, 2 wrong usage, 3 done but a gate is not met.");
  app.option_defaults()->always_capture_default();
  app.set_version_flag("--version", name + " " NESTLING_VERSION);
  app.allow_config_extras(CLI::config_extras_mode::error);
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
  ConsoleProgress progress(common.quiet);
  try {
    return run(progress);
  } catch (const Stopped&) {
    progress.finish();
    fmt::print(stderr, "{}: stopped; {}\n", app.get_name(),
               progress.kept_so_far().empty()
                   ? "nothing was finished yet"
                   : progress.kept_so_far() + " is kept: the same command goes on from there");
    std::signal(stop_signal, SIG_DFL);
    std::raise(stop_signal);
  } catch (const Error& error) {
    problem = error.what();
  } catch (const std::bad_alloc&) {
    problem = "there is not enough memory";
  } catch (const std::exception& error) {
    // LibTorch's messages carry a stack trace after the first line.
    problem = error.what();
    problem = "unexpected error: " + problem.substr(0, problem.find('\n'));
  }
  progress.finish();
  fmt::print(stderr, "{}: {}\n", app.get_name(), problem);
  return kFailed;
}

CLI::Option* DataFlags::add_to(CLI::App& app) {
  app.add_option("--max-bad", max_bad, "Images that cannot be read and may be skipped")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  return app.add_option("--data", name, "Folder of a data set, or its name under data/");
}

Dataset DataFlags::load(const std::string& split, LoadOptions options, Progress& progress) const {
  options.max_bad = max_bad;
  Dataset data = load_dataset(name, split, options);
  for (const std::string& problem : data.skipped) progress.note("skipped: " + problem);
  if (!data.skipped.empty()) {
    progress.note(fmt::format("skipped {} of {} images of the {} split", data.skipped.size(),
                              data.size() + std::ssize(data.skipped), split));
  }
  return data;
}

void wait_without_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  ::execv("/proc/self/exe", argv);  // returns only if it fails, and then it is only slower
}

void Tool::stop_between_steps() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

void Tool::print(const std::string& text, const Json& json) const {
  fmt::print("{}", common.json ? json_text(json) : text);
}

void add_processor_flags(CLI::App& app, std::string& backend, size_t& gpu, double& half_error) {
  app.add_option("--backend", backend,
                 "Where layers run: cpu, vulkan, or auto, a GPU if there is one")
      ->check(CLI::IsMember({"cpu", "vulkan", "auto"}))
      ->capture_default_str();
  app.add_option("--gpu", gpu, "Its number, of nestling-run --list-devices")->capture_default_str();
  app.add_option("--gpu-fp16", half_error,
                 "Of a GPU: compute in float16 where outputs change by at most this part of the "
                 "largest, such as 0.01")
      ->check(CLI::Range(0.0, 1.0));
}

}  // namespace nestling
