// The formats of data sets, each read by one function. They fill in pixels, labels, the image's
// size and, where the descriptor names none, the classes. All throw Error naming the file.
#pragma once

#include "data/dataset.h"
#include "data/descriptor.h"

namespace nestling {

void read_idx_split(const DataDescriptor& data, Dataset& split);

// Records of one label byte (CIFAR-100: the coarse label, then the fine one, which is used) and
// 3 x 32 x 32 pixels (https://www.cs.toronto.edu/~kriz/cifar.html, "binary version"). The names of
// the classes come from batches.meta.txt or fine_label_names.txt.
void read_cifar_split(const DataDescriptor& data, Dataset& split);

// Whether a file's name is that of an image.
bool is_image(const std::filesystem::path& path);

// SPLIT/CLASS/ folders of images, classes and files in the order of their names; all are decoded
// and scaled here, on all cores. The classes are the training split's. If no labels are wanted,
// also the images in SPLIT/ itself.
void read_image_split(const DataDescriptor& data, const LoadOptions& options, Dataset& split);

}  // namespace nestling
