// What the functions for C say of a failure.
#pragma once

#include "runtime/status.h"

namespace nestling::runtime {

// Keeps the sentence of a status that is not ok for nestling_error(). Returns whether it is ok.
bool told(const Status& status);

}  // namespace nestling::runtime
