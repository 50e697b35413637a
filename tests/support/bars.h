// The small data set of test_dataset.h, loaded, in a process that is prepared for training.
#pragma once

#include <string>

#include "support/temporary_folder.h"
#include "support/test_dataset.h"

#include "data/dataset.h"
#include "train/train.h"

namespace test {

inline nestling::Dataset bars(uint32_t train, uint32_t tested = 8, const char* split = "train") {
  const TemporaryFolder folder;
  write_dataset(folder / "bars", train, tested);
  nestling::prepare_training(1);
  return nestling::load_dataset((folder / "bars").string(), split);
}

}  // namespace test
