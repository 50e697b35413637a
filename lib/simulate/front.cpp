#include "simulate/front.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace nestling {
namespace {

struct Point {
  double x, y;
};

// By rising x; y falls.
std::vector<Point> best_of(const std::vector<Simulation>& simulations) {
  std::vector<Point> points;
  for (const Simulation& one : simulations) {
    const Service all = total_of(one);
    points.push_back({all.rate(), all.accuracy});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.x > b.x; });
  std::vector<Point> best;
  for (const Point& point : points) {
    if (best.empty() || point.y > best.back().y) best.push_back(point);
  }
  std::reverse(best.begin(), best.end());
  return best;
}

std::optional<double> y_at(const std::vector<Point>& line, double x) {
  for (size_t i = 0; i + 1 < line.size(); ++i) {
    const Point &a = line[i], &b = line[i + 1];
    if (x >= a.x && x <= b.x) return a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x);
  }
  if (line.size() == 1 && x == line[0].x) return line[0].y;
  return std::nullopt;
}

}  // namespace

FrontGain gain_over(const std::vector<Simulation>& baseline, const std::vector<Simulation>& ours) {
  const std::vector<Point> line = best_of(baseline);
  std::vector<Point> turned;  // frames by accuracy
  for (auto at = line.rbegin(); at != line.rend(); ++at) turned.push_back({at->y, at->x});
  FrontGain gain;
  for (const Point& point : best_of(ours)) {
    // A percent of frames, and a tenth of a point, are as good as none.
    if (const auto accuracy = y_at(line, 0.99 * point.x)) {
      gain.accuracy = std::max(gain.accuracy, point.y - *accuracy);
    }
    if (const auto frames = y_at(turned, point.y - 0.001); frames && *frames > 0) {
      gain.frames = std::max(gain.frames, point.x / *frames);
    }
  }
  return gain;
}

std::string gain_text(const std::string& ours, const std::string& baseline, const FrontGain& gain) {
  return fmt::format(
      "{} against {}: as much as {:.1f} points more accuracy at an equal frame rate, {:.1f} times "
      "the frames at equal accuracy",
      ours, baseline, 100 * gain.accuracy, gain.frames);
}

}  // namespace nestling
