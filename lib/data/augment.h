// Random changes of images that keep what they show, so that a network sees each in many forms.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace nestling {

struct Augment {
  bool crop = false;    // moved by up to an eighth of the image each way; the mean comes in
  bool flip = false;    // left and right exchanged, every second time
  bool cutout = false;  // a square of half the image's size is the mean (arXiv 1708.04552)

  bool any() const { return crop || flip || cutout; }
};

// From "none", or a list such as "crop,flip". Throws Error for anything else.
Augment parse_augment(const std::string& text);
std::string augment_text(const Augment& augment);  // as parse_augment takes it

// All images flipped.
Dataset mirrored(const Dataset& data);

// The images at `indices` as normalised() gives them, each changed as `augment` says. The draws
// depend on `seed` and the image's index only; `flipped`, if given, says of each image whether it
// was flipped.
std::vector<float> augmented(const Dataset& data, std::span<const int64_t> indices,
                             const Augment& augment, uint64_t seed,
                             std::vector<uint8_t>* flipped = nullptr);

}  // namespace nestling
