// How many forward passes over its images a ranking costs. In turn, three times; ratios of medians.
//   ranking_cost [ARCH] [IMAGES] [CLASSES]
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include "seconds.h"

#include "base/random.h"
#include "data/dataset.h"
#include "graph/groups.h"
#include "graph/zoo.h"
#include "prune/ranking.h"
#include "train/evaluate.h"
#include "train/train.h"

using namespace nestling;

namespace {

Dataset noise(int64_t images, int classes) {
  Dataset data;
  data.name = "noise";
  for (int c = 0; c < classes; ++c) data.classes.push_back(fmt::format("{}", c));
  data.mean = {0.5, 0.5, 0.5};
  data.deviation = {0.25, 0.25, 0.25};
  data.channels = 3;
  data.height = data.width = 32;
  Random random(1);
  data.pixels.resize(static_cast<size_t>(images * 3 * 32 * 32));
  for (uint8_t& pixel : data.pixels) pixel = static_cast<uint8_t>(random.next() >> 56);
  for (int64_t i = 0; i < images; ++i) data.labels.push_back(static_cast<int32_t>(i % classes));
  return data;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string arch = argc > 1 ? argv[1] : "resnet20";
  const Dataset data =
      noise(argc > 2 ? std::atoi(argv[2]) : 2000, argc > 3 ? std::atoi(argv[3]) : 10);
  prepare_training(0);
  const Graph graph = make_model(arch, {.classes = static_cast<int64_t>(data.classes.size())});
  const ChannelGroups groups = find_groups(graph);
  const std::vector<std::string> rankings = {"trr", "activation", "taylor"};
  std::vector<std::vector<double>> times(rankings.size() + 1);
  for (int turn = 0; turn < 4; ++turn) {  // the first warms up
    std::vector<double> now = {bench::seconds([&] { outputs(graph, data); })};
    for (const std::string& name : rankings) {
      now.push_back(bench::seconds([&] { make_ranking(name, {})->rank(graph, groups, data); }));
    }
    for (size_t i = 0; i < now.size() && turn > 0; ++i) times[i].push_back(now[i]);
  }
  const auto median = [](std::vector<double> of) {
    std::sort(of.begin(), of.end());
    return of[of.size() / 2];
  };
  fmt::print("{}, {} images of {} classes: a forward pass {:.3f} s", arch, data.size(),
             data.classes.size(), median(times[0]));
  for (size_t i = 0; i < rankings.size(); ++i) {
    fmt::print(", {} {:.2f} of them", rankings[i], median(times[i + 1]) / median(times[0]));
  }
  fmt::print("\n");
}
