// A file of what took time to find out, for the next time: a checksum, and data.
#pragma once

#include <string>

#include "runtime/status.h"

namespace nestling::runtime {

// Empty unless the file is there, whole and of at most 256 MB.
std::string read_cache(const std::string& file);

// The file is there with all of it, or as it was before.
Status write_cache(const std::string& file, const std::string& data);

}  // namespace nestling::runtime
