// Sums over the columns of a matrix [rows, channels], and what scales each column: the passes of
// batch norm in training, where every pixel of every image is a row. On the processor they are
// loops of ours: LibTorch 1.13 calls a function for each row and copies channels that do not fill a
// vector, which was a third of the time of training narrow networks.
//
// Matrices are contiguous floats and have channels; numbers by column are doubles [channels] on the
// same device. The order of additions does not depend on the number of threads.
#pragma once

#include "train/torch.h"

namespace nestling {

// Of x - origin, then of (x - origin)^2: [2, channels]. The origin is a float for each column.
at::Tensor column_moments(const at::Tensor& x, const at::Tensor& origin);

// Of dy, then of dy (x - mean): [2, channels].
at::Tensor column_products(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& mean);

// a x + b.
at::Tensor scaled_columns(const at::Tensor& x, const at::Tensor& a, const at::Tensor& b);

// a x + b y + c.
at::Tensor mixed_columns(const at::Tensor& x, const at::Tensor& a, const at::Tensor& y,
                         const at::Tensor& b, const at::Tensor& c);

}  // namespace nestling
