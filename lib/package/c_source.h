// A package as C source, to be compiled into an application.
#pragma once

#include <string>

namespace nestling {

struct CSource {
  std::string header;  // declares NAME, the package, and NAME_bytes, its size
  std::string source;  // defines them, and includes HEADER_FILE
};

// A C identifier like `text`: what may not be in one becomes an underscore.
std::string c_identifier(std::string text);

// The words are those of a little-endian machine, as all that the runtime is for are.
CSource c_source(const std::string& package, const std::string& name,
                 const std::string& header_file);

}  // namespace nestling
