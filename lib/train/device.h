// Where networks are trained and evaluated: the processor, or a GPU that LibTorch was built for.
#pragma once

#include <string>

namespace nestling {

// Of all networks made afterwards; the processor, until it is called. `name` is "cpu", "cuda:N", or
// "cuda", which is GPU number `process` of this machine, so that the processes of a team take one
// each (the first again if there are more). Throws Error if LibTorch has no such device.
void use_device(const std::string& name, int process = 0);

}  // namespace nestling
