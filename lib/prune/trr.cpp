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

void TripletResidual::add(std::span<const int32_t> labels, const float* maps, int64_t image_stride,
                          int64_t element_stride, int64_t first, int64_t end) {
  for (size_t n = 0; n < labels.size(); ++n) {
    const int32_t label = labels[n];
    if (label < first || label >= end) continue;
    ++images_[static_cast<size_t>(label)];
    double* sum = sums_.data() + label * size_ * filters_;
    double* square = squares_.data() + label * filters_;
    const float* element = maps + static_cast<int64_t>(n) * image_stride;
    for (int64_t k = 0; k < size_; ++k) {
      for (int64_t i = 0; i < filters_; ++i) {
        const double v = element[i];
        sum[i] += v;
        square[i] += v * v;
      }
      sum += filters_;
      element += element_stride;
    }
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
        const double s = sums_[static_cast<size_t>((c * size_ + k) * filters_ + i)];
        within += s * s;
        across += s * (total[static_cast<size_t>(k * filters_ + i)] - s);
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
