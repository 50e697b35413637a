// What a folder of data is: read from its dataset.json, or found out by looking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace nestling {

struct DataDescriptor {
  std::string name;
  std::filesystem::path folder;
  std::string format;                           // "idx", "cifar10", "cifar100" or "images"
  std::vector<std::string> classes;             // by label; empty: the format's reader finds them
  std::vector<float> mean, deviation;           // empty: computed from the training split
  int64_t channels = 0, height = 0, width = 0;  // of an image; 0: as the files are
  int64_t resize = 0;  // of images: the shorter side before the centre crop; 0: see LoadOptions

  // The files of each split, relative to the folder: the images and the labels of "idx", the
  // batches of "cifar10" and "cifar100", the one folder of "images".
  std::map<std::string, std::vector<std::filesystem::path>> splits;
  std::map<std::string, int64_t> sizes;  // images of each split, where the descriptor says so

  std::string where() const;  // names the descriptor, or the folder, in messages
};

// `name_or_folder` is a folder, or the name of one under $NESTLING_DATA, or under `data/`. Without
// a dataset.json in it the format is recognised by the files that are there:
//
//   data_batch_1.bin ... test_batch.bin, batches.meta.txt         CIFAR-10, binary version
//   train.bin, test.bin, fine_label_names.txt                     CIFAR-100, binary version
//   train-images-idx3-ubyte, t10k-... (each also .gz)             MNIST and its kin
//   train/CLASS/*.jpg|jpeg|png|pgm|ppm, test/ or val/ alike       a folder of images
//   *.jpg|jpeg|png|pgm|ppm                                        images without labels; both
//   splits are all of them
//
// Throws Error saying what was looked for.
DataDescriptor describe_data(const std::string& name_or_folder);

}  // namespace nestling
