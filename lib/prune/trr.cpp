#include "prune/trr.h"

#include <numeric>

#include "base/error.h"

namespace nestling {

TripletResidual::TripletResidual(int64_t classes, int64_t filters, int64_t size)
    : classes_(classes),
      filters_(filters),
      size_(size),
      images_(static_cast<size_t>(classes)),
      sums_(static_cast<size_t>(classes * filters * size)),
      squares_(static_cast<size_t>(classes * filters)) {}

void TripletResidual::add_filters(int32_t label, const float* maps, int64_t first, int64_t end) {
  for (int64_t i = first; i < end; ++i) {
    const int64_t row = label * filters_ + i;
    double* sum = sums_.data() + row * size_;
    const float* map = maps + i * size_;
    double square = 0;
    for (int64_t k = 0; k < size_; ++k) {
      const double v = map[k];
      sum[k] += v;
      square += v * v;
    }
    squares_[static_cast<size_t>(row)] += square;
  }
}

std::vector<double> TripletResidual::result() const {
  const auto all = static_cast<double>(std::accumulate(images_.begin(), images_.end(), int64_t{0}));
  double triplets = 0;
  std::vector<double> residual(static_cast<size_t>(filters_));
  std::vector<double> total(static_cast<size_t>(filters_ * size_));
  std::vector<double> total_square(static_cast<size_t>(filters_));
  for (int64_t c = 0; c < classes_; ++c) {
    for (int64_t i = 0; i < filters_ * size_; ++i) {
      total[static_cast<size_t>(i)] += sums_[static_cast<size_t>(c * filters_ * size_ + i)];
    }
    for (int64_t i = 0; i < filters_; ++i) {
      total_square[static_cast<size_t>(i)] += squares_[static_cast<size_t>(c * filters_ + i)];
    }
  }
  for (int64_t c = 0; c < classes_; ++c) {
    const auto n = static_cast<double>(images_[static_cast<size_t>(c)]);
    const double others = all - n;
    if (n < 2 || others < 1) continue;
    const double weight = n * (n - 1) * others;
    triplets += weight;
    for (int64_t i = 0; i < filters_; ++i) {
      double within = 0, across = 0;  // sum_c . sum_c, and sum_c . sum_notc
      for (int64_t k = 0; k < size_; ++k) {
        const double s = sums_[static_cast<size_t>((c * filters_ + i) * size_ + k)];
        within += s * s;
        across += s * (total[static_cast<size_t>(i * size_ + k)] - s);
      }
      const double square = squares_[static_cast<size_t>(c * filters_ + i)];
      const double positive = 2 * (square - within / n) / (n - 1);
      const double negative = square / n +
                              (total_square[static_cast<size_t>(i)] - square) / others -
                              2 * across / (n * others);
      residual[static_cast<size_t>(i)] += weight * (negative - positive);
    }
  }
  if (triplets == 0) fail("no triplets: two images of one class and one of another are needed");
  for (double& r : residual) r /= triplets;
  return residual;
}

}  // namespace nestling
