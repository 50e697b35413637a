// Triplet Response Residual (NestDNN, section 3.1.1): how well a filter's feature maps tell classes
// apart.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nestling {

// The exact TRR of a layer's filters: the mean of
//   |F(anchor) - F(negative)|^2 - |F(anchor) - F(positive)|^2
// over all triplets of images with anchor and positive of one class, negative of another. No
// triplet is looked at. With n_c images of class c, S_c the sum of their |F|^2, mu_c their mean map
// (and the same for "not c"),
//   mean of |a - p|^2 within c  =  2 (S_c - n_c |mu_c|^2) / (n_c - 1)
//   mean of |a - n|^2 from c    =  S_c / n_c + S_notc / n_notc - 2 mu_c . mu_notc
// and c counts with its n_c (n_c - 1) n_notc triplets. Memory: classes * filters * size doubles.
class TripletResidual {
 public:
  TripletResidual(int64_t classes, int64_t filters, int64_t size);

  // The feature maps of images, by their labels: element k of filter i of image n lies at
  // maps[n * image_stride + k * element_stride + i]. Takes the images of the classes [first, end)
  // only: several threads may each take others.
  void add(std::span<const int32_t> labels, const float* maps, int64_t image_stride,
           int64_t element_stride, int64_t first, int64_t end);

  // The TRR of each filter. Throws Error if no triplet can be made of the images.
  std::vector<double> result() const;

 private:
  int64_t classes_, filters_, size_;
  std::vector<int64_t> images_;  // [classes]
  std::vector<double> sums_;     // [classes, size, filters]
  std::vector<double> squares_;  // [classes, filters]
};

}  // namespace nestling
