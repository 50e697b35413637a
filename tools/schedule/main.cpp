// Plays workloads of several applications against the scheduler, and makes such workloads.
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/tool.h"
#include "measure/processor.h"
#include "simulate/front.h"
#include "simulate/generate.h"
#include "simulate/live.h"
#include "simulate/page.h"
#include "simulate/simulation.h"

#include "base/error.h"
#include "base/file.h"

using namespace nestling;

namespace {

runtime::Policy policy_of(const std::string& name) {
  if (name == "max") return runtime::Policy::min_max_cost;
  return name == "fixed" ? runtime::Policy::fixed : runtime::Policy::min_total_cost;
}

int most_capacities(const Workload& workload) {
  size_t most = 0;
  for (const WorkloadApplication& one : workload.applications) {
    most = std::max(most, one.goals.capacities.size());
  }
  return static_cast<int>(most);
}

// Every policy, with latency weighed from a hundredth to a hundred times as the workload has it.
std::vector<Played> play_all(const Workload& workload, runtime::Options options) {
  std::vector<Played> all;
  for (const char* name : {"total", "max", "fixed"}) {
    options.policy = policy_of(name);
    Played& played = all.emplace_back(Played{name, simulate(workload, options), {}});
    if (options.policy == runtime::Policy::fixed) {
      for (int k = 1; k <= most_capacities(workload); ++k) {
        options.fixed_capacity = k;
        played.front.push_back(simulate(workload, options));
      }
      continue;
    }
    for (const double weight : {0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0}) {
      Workload weighed = workload;
      for (WorkloadApplication& one : weighed.applications) one.goals.alpha *= weight;
      played.front.push_back(simulate(weighed, options));
    }
  }
  return all;
}

// The profiles' paths are given from here; in the file they are relative to its folder.
void write_workload(Workload workload, const std::filesystem::path& out) {
  const std::filesystem::path folder = std::filesystem::absolute(out).parent_path();
  for (WorkloadApplication& one : workload.applications) {
    one.profile = std::filesystem::absolute(one.profile).lexically_relative(folder).string();
  }
  write_json(out, to_json(workload));
}

}  // namespace

int main(int argc, char** argv) {
  Tool tool("nestling-schedule",
            "Shares a device among several applications: simulates what each gets over a workload.",
            "nestling-schedule --generate six --profile a.json --profile b.json --out six.json\n"
            "  nestling-schedule --simulate six.json --compare\n"
            "  nestling-schedule --simulate six.json --policy max --explain\n"
            "  nestling-schedule --simulate six.json --live --threads 2");
  std::string workload_file, out, policy = "total", method = "exact";
  std::string page, figure;
  bool compare = false, explain_all = false, live = false;
  LiveOptions live_options;
  ProcessorOptions gpu{.backend = "vulkan"};
  GenerateOptions generate;
  generate.kind.clear();
  tool.common.threads = 1;  // as profiles have by default
  runtime::Options options;
  auto* simulate_option = tool.app.add_option("--simulate", workload_file, "Play this workload")
                              ->type_name("FILE.json");
  tool.app.add_option("--generate", generate.kind, "Make a workload, from --seed")
      ->check(CLI::IsMember(workload_kinds()))
      ->excludes(simulate_option);
  tool.app
      .add_option("--profile", generate.profiles,
                  "To generate: profile of an application; repeatable")
      ->type_name("PROFILE.json");
  tool.app.add_option("--applications", generate.applications, "To generate: how many")
      ->check(CLI::Range(1, 1024));
  tool.app.add_option("--seconds", generate.duration_s, "To generate: how long it lasts")
      ->check(CLI::Range(1.0, 1e7));
  tool.app.add_option("--event-seconds", generate.event_s, "To generate: mean time between events")
      ->check(CLI::Range(0.01, 1e6));
  tool.app
      .add_option("--memory", generate.memory,
                  "To generate: the budget, as a part of what all largest capacities take")
      ->check(CLI::Range(0.0, 10.0));
  tool.app
      .add_option(
          "--load", generate.load,
          "To generate: frame rates at which all applications' largest capacities would take "
          "so many processors; 0: no frame rates")
      ->check(CLI::Range(0.0, 1000.0));
  tool.app
      .add_option("--policy", policy,
                  "total: the smallest sum of costs; max: the smallest highest cost; fixed: one "
                  "capacity and equal shares, whatever happens")
      ->check(CLI::IsMember({"total", "max", "fixed"}));
  tool.app.add_option("--fixed-capacity", options.fixed_capacity, "Of fixed; 64 is the largest")
      ->check(CLI::Range(1, 64));
  tool.app.add_option("--method", method, "exact, or greedy in steps of the processor")
      ->check(CLI::IsMember({"exact", "greedy"}));
  tool.app
      .add_option("--margin", options.margin,
                  "Cost that a change of capacities must save; without it they flap")
      ->check(CLI::Range(0.0, 1e6));
  tool.app.add_flag("--compare", compare, "One line for each policy and method");
  tool.app.add_flag("--explain", explain_all,
                    "Why each application got its capacity and share, after every event");
  tool.app.add_flag("--live", live,
                    "Play it with the real packages on this machine, in real time, and compare");
  tool.app
      .add_option("--gpu", gpu.gpu,
                  "Live: the GPU of applications whose profiles are of one: its number, of "
                  "nestling-run --list-devices")
      ->capture_default_str();
  tool.app
      .add_option("--tuning", live_options.tuning,
                  "Live: a file in which nestling-run or -profile has kept how this CPU computes "
                  "the convolutions fastest")
      ->check(CLI::ExistingFile);
  tool.app.add_flag("--feedback", live_options.feedback,
                    "Live: decide by measured latencies where they depart from the profiles");
  tool.app
      .add_option("--html", page,
                  "Write a page of what was simulated with each policy, for a browser")
      ->type_name("FILE.html");
  tool.app
      .add_option("--svg", figure, "Write the figure of accuracy against frame rate, for documents")
      ->type_name("FILE.svg");
  tool.app.add_option("--out", out, "Workload to write, or what was simulated")
      ->type_name("FILE.json");

  return tool.main(argc, argv, [&](Progress& progress) -> int {
    if (workload_file.empty() == generate.kind.empty() || (!generate.kind.empty() && out.empty())) {
      fmt::print(stderr,
                 "nestling-schedule: give --simulate FILE, or --generate KIND and --out FILE\n");
      return kWrongUsage;
    }
    if (!out.empty()) check_writable(out);
    if (!generate.kind.empty()) {
      generate.seed = tool.common.seed;
      const Workload workload = generate_workload(generate);
      write_workload(workload, out);
      tool.print(
          fmt::format("{}: {} applications, {} events in {:.0f} s\n", out,
                      workload.applications.size(), workload.events.size(), workload.duration_s),
          to_json(workload));
      return kDone;
    }
    const Workload workload = read_workload(workload_file);
    options.method = method == "greedy" ? runtime::Method::greedy : runtime::Method::exact;
    options.policy = policy_of(policy);
    if (!page.empty()) check_writable(page);
    if (!figure.empty()) check_writable(figure);
    std::vector<Played> fronts;
    if (compare || !page.empty() || !figure.empty()) fronts = play_all(workload, options);
    if (!page.empty()) {
      const std::string title = std::filesystem::path(workload_file).stem().string();
      write_file(page, simulation_page(title, workload, fronts));
    }
    if (!figure.empty()) write_file(figure, front_figure(fronts));
    if (compare) {
      Json all = Json::array();
      std::string text;
      std::vector<std::pair<std::string, std::string>> ways = {
          {"total", "exact"}, {"total", "greedy"}, {"max", "exact"}, {"max", "greedy"}};
      for (int k = 1; k <= most_capacities(workload); ++k) {
        ways.emplace_back("fixed", std::to_string(k));
      }
      for (const auto& [name, how] : ways) {
        options.policy = policy_of(name);
        options.method = how == "greedy" ? runtime::Method::greedy : runtime::Method::exact;
        if (name == "fixed") options.fixed_capacity = std::stoi(how);
        const Simulation simulation = simulate(workload, options);
        const std::string label = fmt::format("{} {}", name, how);
        const std::string table = simulation_table(workload, simulation);
        // Of the table the heading once, and the last line.
        const size_t heading = table.find('\n') + 1;
        if (text.empty()) text = fmt::format("{:13}", "policy") + table.substr(0, heading);
        text += fmt::format("{:13}", label) + table.substr(table.rfind('\n', table.size() - 2) + 1);
        all.push_back(to_json(workload, simulation, label));
      }
      Json gains = Json::object();
      for (const Played& one : fronts) {
        if (one.label == "fixed") continue;
        const FrontGain gain = gain_over(fronts.back().front, one.front);
        text += gain_text(one.label, "fixed", gain) + "\n";
        gains[one.label] = {{"accuracy", gain.accuracy}, {"frames", gain.frames}};
      }
      tool.print(text, {{"simulations", all}, {"gains", gains}});
      return kDone;
    }
    if (live) {
      live_options.decision = options;
      live_options.threads = tool.common.threads;
      std::optional<Processor> accelerator;
      if (needs_accelerator(workload)) {
        accelerator.emplace(gpu);
        live_options.accelerator = accelerator->accelerator();
      }
      const Live played = play_live(workload, live_options, progress);
      const Json json = to_json(workload, played, policy);
      if (!out.empty()) write_json(out, json);
      tool.print(live_table(workload, played), json);
      return kDone;
    }
    const Simulation simulation = simulate(workload, options);
    const Json json = to_json(workload, simulation, policy);
    if (!out.empty()) write_json(out, json);
    std::string text;
    for (const Moment& moment : simulation.moments) {
      if (explain_all) text += explain(moment);
    }
    tool.print(text + simulation_table(workload, simulation), json);
    return kDone;
  });
}
