// The one way to LibTorch: precompiled by lib/train and reused by whatever runs tensors. For
// sources and headers inside lib/train, lib/prune and lib/recover only.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
