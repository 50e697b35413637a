#include "package/c_source.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <iterator>

namespace nestling {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string c_identifier(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return !is_letter(c) && !is_digit(c); }, '_');
  return text.empty() || is_digit(text[0]) ? "_" + text : text;
}

CSource c_source(const std::string& package, const std::string& name,
                 const std::string& header_file) {
  CSource c;
  c.header = fmt::format(
      "/* A package for nestling_model_open_memory({0}, {0}_bytes, NULL). */\n"
      "#ifndef {0}_H\n#define {0}_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n"
      "#ifdef __cplusplus\nextern \"C\" {{\n#endif\n"
      "extern const uint64_t {0}[];\nextern const size_t {0}_bytes;\n"
      "#ifdef __cplusplus\n}}\n#endif\n\n#endif\n",
      name);
  c.source =
      fmt::format("#include \"{0}\"\n\nconst size_t {1}_bytes = {2};\nconst uint64_t {1}[] = {{",
                  header_file, name, package.size());
  constexpr size_t kWordsInLine = 4;
  uint64_t word = 0;
  for (size_t at = 0; at < package.size(); at += sizeof word) {
    word = 0;
    std::memcpy(&word, package.data() + at, std::min(sizeof word, package.size() - at));
    const char* before = at / sizeof word % kWordsInLine == 0 ? "\n " : "";
    fmt::format_to(std::back_inserter(c.source), "{} {:#x}U,", before, word);
  }
  c.source += "\n};\n";
  return c;
}

}  // namespace nestling
