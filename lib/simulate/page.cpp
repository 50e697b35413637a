#include "simulate/page.h"

#include <algorithm>
#include <fmt/format.h>

#include "simulate/front.h"

namespace nestling {
namespace {

constexpr double kWidth = 900, kRow = 34, kLeft = 130;

// Colours by application or by way to decide: eight that people with colour blindness tell apart
// (Okabe and Ito, 2008, without black).
std::string colour(size_t i) {
  constexpr const char* kColours[] = {"#0072b2", "#e69f00", "#009e73", "#d55e00",
                                      "#56b4e9", "#cc79a7", "#b2a800", "#7f7f7f"};
  return kColours[i % std::size(kColours)];
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string rectangle(double x, double y, double width, double height, const std::string& style,
                      const std::string& tip) {
  return fmt::format(
      "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" "
      "{}><title>{}</title></rect>\n",
      x, y, width, height, style, escaped(tip));
}

std::string text_at(double x, double y, const std::string& text, const char* anchor = "start") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     escaped(text));
}

std::string table(const std::vector<Played>& played) {
  std::string html =
      "<table><tr><th>policy</th><th>served</th><th>frames a "
      "second</th><th>accuracy</th><th>late</th>"
      "<th>switches</th><th>memory, mean</th><th>most</th></tr>\n";
  for (const Played& one : played) {
    const Service total = total_of(one.simulation);
    html += fmt::format(
        "<tr><td>{}</td><td>{:.1f} %</td><td>{:.2f}</td><td>{:.2f} %</td><td>{:.2f} "
        "%</td><td>{}</td><td>{:.0f} "
        "KB</td><td>{} KB</td></tr>\n",
        escaped(one.label), total.running_s > 0 ? 100 * total.served_s / total.running_s : 0,
        total.rate(), 100 * total.accuracy, total.late_percent(), total.switches,
        one.simulation.mean_memory_bytes / 1024, one.simulation.most_memory_bytes / 1024);
  }
  return html + "</table>\n";
}

// Mean accuracy against frames a second.
std::string front(const std::vector<Played>& played) {
  double slow = 1e300, fast = 0, low = 1, high = -1;
  const auto look = [&](const Simulation& simulation) {
    const Service total = total_of(simulation);
    slow = std::min(slow, total.rate());
    fast = std::max(fast, total.rate());
    low = std::min(low, total.accuracy);
    high = std::max(high, total.accuracy);
  };
  for (const Played& one : played) {
    look(one.simulation);
    for (const Simulation& other : one.front) look(other);
  }
  const double height = 260, bottom = height - 34;
  const double rates = std::max(fast - slow, 1e-9), accuracies = std::max(high - low, 1e-9);
  const auto x = [&](const Service& t) {
    return kLeft + (t.rate() - slow) / rates * (kWidth - kLeft - 90);
  };
  const auto y = [&](const Service& t) {
    return bottom - 14 - (t.accuracy - low) / accuracies * (bottom - 40);
  };
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"accuracy against frames a second\">\n",
      kWidth, height);
  svg += fmt::format("<path class=\"axis\" d=\"M{0} 10V{1}H{2}\"/>\n", kLeft - 12, bottom,
                     kWidth - 10);
  svg += text_at(kLeft - 18, 30, fmt::format("{:.1f} %", 100 * high), "end") +
         text_at(kLeft - 18, bottom - 10, fmt::format("{:.1f} %", 100 * low), "end") +
         text_at(kLeft, height - 16, fmt::format("{:.2f} frames/s", slow)) +
         text_at(kWidth - 12, height - 16, fmt::format("{:.2f} frames/s", fast), "end");
  for (size_t i = 0; i < played.size(); ++i) {
    std::vector<Service> points;
    for (const Simulation& other : played[i].front) points.push_back(total_of(other));
    std::sort(points.begin(), points.end(),
              [](const Service& a, const Service& b) { return a.rate() < b.rate(); });
    std::string line;
    for (const Service& p : points) {
      line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", x(p), y(p));
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", x(p), y(p),
                         colour(i));
    }
    svg += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n", line,
                       colour(i));
    const Service own = total_of(played[i].simulation);
    svg += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"6\" fill=\"{}\"><title>{}: {:.2f} frames a "
        "second, {:.2f} %</title></circle>\n",
        x(own), y(own), colour(i), escaped(played[i].label), own.rate(), 100 * own.accuracy);
    const double row = 24 + 18 * static_cast<double>(i);
    svg += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"6\" fill=\"{}\"/>\n", kWidth - 130, row - 4,
                       colour(i));
    svg += text_at(kWidth - 118, row, played[i].label);
  }
  return svg + "</svg>\n";
}

// A row an application: a block from one decision to the next, as high as its share, as strong as
// its capacity is large; red below where frames are late. Behind them the memory.
std::string timeline(const Workload& workload, const Simulation& simulation) {
  const size_t count = workload.applications.size();
  const double memory_height = 70;
  const double height = kRow * static_cast<double>(count) + memory_height + 36;
  const auto x = [&](double seconds) {
    return kLeft + seconds / workload.duration_s * (kWidth - kLeft - 10);
  };
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {:.0f}\" role=\"img\" aria-label=\"timeline\">\n", kWidth, height);
  uint64_t most = 1;
  for (const Moment& moment : simulation.moments) {
    most = std::max({most, moment.problem.device.memory_bytes, moment.decision.memory_bytes});
  }
  const double memory_top = kRow * static_cast<double>(count) + 8;
  const auto bar = [&](uint64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(most) * memory_height;
  };
  for (size_t i = 0; i < count; ++i) {
    svg += text_at(kLeft - 8, kRow * static_cast<double>(i) + 22,
                   workload.applications[i].goals.name, "end");
  }
  svg += text_at(kLeft - 8, memory_top + memory_height - 4, "memory", "end");
  for (size_t m = 0; m < simulation.moments.size(); ++m) {
    const Moment& moment = simulation.moments[m];
    const double begin = x(moment.at_s);
    const double end = m + 1 < simulation.moments.size() ? x(simulation.moments[m + 1].at_s)
                                                         : x(workload.duration_s);
    for (size_t n = 0; n < moment.who.size(); ++n) {
      const runtime::Assignment& a = moment.decision.assignments[n];
      const runtime::Application& goals = moment.problem.applications[n];
      const double bottom = kRow * static_cast<double>(moment.who[n]) + kRow - 4;
      if (a.capacity == 0) {
        svg += rectangle(begin, bottom - 4, end - begin, 4, "class=\"refused\"",
                         fmt::format("{}: no memory", goals.name));
        continue;
      }
      const runtime::CapacityCost& capacity = goals.capacities[static_cast<size_t>(a.capacity - 1)];
      const double latency = capacity.latency_s / a.share;
      const double part =
          static_cast<double>(a.capacity) / static_cast<double>(goals.capacities.size());
      const std::string tip = fmt::format(
          "{:.1f} s, {}\n{}: capacity {} of {}, {:.1f} % of the {}, {:.2f} ms, {:.2f} %",
          moment.at_s, moment.event, goals.name, a.capacity, goals.capacities.size(), 100 * a.share,
          processor_name(goals.processor), 1000 * latency, 100 * capacity.accuracy);
      const double high = 4 + a.share * (kRow - 10);
      svg += rectangle(begin, bottom - high, end - begin, high,
                       fmt::format("fill=\"{}\" fill-opacity=\"{:.2f}\"", colour(moment.who[n]),
                                   0.25 + 0.75 * part),
                       tip);
      if (latency > goals.max_latency_s * (1 + 1e-9)) {
        svg += rectangle(begin, bottom, end - begin, 3, "class=\"late\"", goals.name + ": late");
      }
    }
    svg += rectangle(begin, memory_top + memory_height - bar(moment.decision.memory_bytes),
                     end - begin, bar(moment.decision.memory_bytes), "class=\"memory\"",
                     fmt::format("{} of {} bytes", moment.decision.memory_bytes,
                                 moment.problem.device.memory_bytes));
    svg += rectangle(begin, memory_top + memory_height - bar(moment.problem.device.memory_bytes),
                     end - begin, 1.5, "class=\"budget\"", "budget");
  }
  svg += text_at(kLeft, height - 8, "0 s") +
         text_at(kWidth - 10, height - 8, fmt::format("{:.0f} s", workload.duration_s), "end");
  return svg + "</svg>\n";
}

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --text: #1b1f24; --back: #ffffff; --line: #9aa3ad; --memory: #b9c2cc; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ed; --back: #14171b; --line: #5f6a76; --memory: #4a5561; }
}
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back);
       max-width: 940px; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; }
th, td { text-align: right; padding: .25em .9em; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--text); }
.axis { fill: none; stroke: var(--line); }
.late { fill: #d00000; }
.refused { fill: none; stroke: #d00000; stroke-dasharray: 3 3; }
.memory { fill: var(--memory); }
.budget { fill: var(--text); }
)";

}  // namespace

std::string front_figure(const std::vector<Played>& played) {
  std::string svg = front(played);
  svg.insert(svg.find('\n') + 1, fmt::format("<style>{}</style>\n", kStyle));
  svg.insert(svg.find(' '), " xmlns=\"http://www.w3.org/2000/svg\"");
  return svg;
}

std::string simulation_page(const std::string& title, const Workload& workload,
                            const std::vector<Played>& played) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width\">\n<title>{0}</title>\n<style>{1}</style></head>\n<body>\n"
      "<h1>{0}</h1>\n<p>{2} applications, {3} events in {4:.0f} s.</p>\n",
      escaped(title), kStyle, workload.applications.size(), workload.events.size(),
      workload.duration_s);
  html += table(played);
  html += "<h2>Accuracy against frame rate</h2>\n" + front(played);
  for (const Played& one : played) {
    if (&one == &played.back()) break;  // the baseline
    const FrontGain gain = gain_over(played.back().front, one.front);
    html += "<p>" + escaped(gain_text(one.label, played.back().label, gain)) + ".</p>\n";
  }
  html +=
      "<p>Large points: as the workload is. Small points: latency weighed less and more; of fixed, "
      "one for each capacity.</p>\n";
  for (const Played& one : played) {
    html += fmt::format("<h2>{}</h2>\n", escaped(one.label)) + timeline(workload, one.simulation);
  }
  return html +
         "<p>Blocks are as high as the share of their processor and as strong as the capacity is "
         "large; "
         "a red line below means late frames, a dashed one no memory.</p>\n</body></html>\n";
}

}  // namespace nestling
