// The one way to LibTorch: precompiled by lib/train and reused by whatever runs tensors. For
// sources and headers inside lib/train, lib/prune and lib/recover only.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace nestling {

// Of the constants of all networks, and of what goes in; train/device.h chooses it.
at::Device device();
void compute_on(at::Device device);

}  // namespace nestling
