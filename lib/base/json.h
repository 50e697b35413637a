// JSON files from strangers: parsing with a limit, and typed access with errors that name the file
// and the field.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace nestling {

// Insertion-ordered, so that files read well and come out the same every time.
using Json = nlohmann::ordered_json;

// Parses `text`; `where` (a file name, or "metadata nestling.nesting of model.onnx") starts the
// message of the Error thrown when it is not JSON or nested deeper than 64 levels.
Json parse_json(std::string_view text, const std::string& where);

// Reads and parses a file of at most 64 MB.
Json read_json(const std::filesystem::path& path);

// Writes with two spaces of indentation and a final newline, atomically.
void write_json(const std::filesystem::path& path, const Json& json);

// The text that write_json writes. In strings, what is not UTF-8, which names of files may be, is
// replaced by U+FFFD.
std::string json_text(const Json& json);

// Whether a JSON string can have this text.
bool is_utf8(std::string_view text);

// Throws Error unless `json` is an object whose "schema" is exactly `schema`.
void check_schema(const Json& json, std::string_view schema, const std::string& where);

}  // namespace nestling
