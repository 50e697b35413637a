// Masks of a training that leaves a part as it is.
#pragma once

#include "train/train.h"

namespace test {

// Half of the filters of the second convolution of the zoo's small network, and of its batch norm,
// are frozen.
inline nestling::TrainableMasks half_frozen(const nestling::Graph& small) {
  nestling::TrainableMasks masks;
  for (const char* name : {"conv2.weight", "conv2.bn.scale", "conv2.bn.shift"}) {
    const nestling::ValueId id = nestling::find_value(small, name);
    nestling::Tensor mask = small.constant(id);
    for (size_t i = 0; i < mask.data.size(); ++i) {
      mask.data[i] = i < mask.data.size() / 2 ? 0.0F : 1.0F;
    }
    masks[id] = std::move(mask);
  }
  return masks;
}

}  // namespace test
