#include "train/statistics.h"

#include <algorithm>

#include "train/evaluate.h"
#include "train/train.h"

namespace nestling {

std::map<ValueId, ChannelStatistics> channel_statistics(const Graph& graph, const Dataset& data,
                                                        const std::vector<ValueId>& values) {
  struct Sums {
    std::vector<double> sum, squares;
    int64_t count = 0;
  };
  std::map<ValueId, Sums> sums;
  observe(graph, data, 50, {values.begin(), values.end()},
          [&](std::span<const int64_t>, ValueId id, const Tensor& y) {
            Sums& of = sums[id];
            const auto channels = static_cast<size_t>(y.shape[1]);
            const size_t pixels = y.data.size() / (channels * static_cast<size_t>(y.shape[0]));
            of.sum.resize(channels);
            of.squares.resize(channels);
            for (size_t row = 0; row < y.data.size() / pixels; ++row) {
              const size_t c = row % channels;
              for (size_t i = row * pixels; i < (row + 1) * pixels; ++i) {
                const double v = y.data[i];
                of.sum[c] += v;
                of.squares[c] += v * v;
              }
            }
            of.count += y.shape[0] * static_cast<int64_t>(pixels);
          });
  std::map<ValueId, ChannelStatistics> result;
  for (const auto& [id, of] : sums) {
    ChannelStatistics& statistics = result[id];
    const auto count = static_cast<double>(of.count);
    for (size_t c = 0; c < of.sum.size(); ++c) {
      const double mean = of.sum[c] / count;
      statistics.mean.push_back(static_cast<float>(mean));
      statistics.variance.push_back(
          static_cast<float>(std::max(0.0, of.squares[c] / count - mean * mean)));
    }
  }
  return result;
}

}  // namespace nestling
