#include "base/json.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"

namespace nestling {
namespace {
constexpr uint64_t kMaxJsonBytes = 64U << 20;
constexpr int kMaxDepth = 64;
}  // namespace

Json parse_json(std::string_view text, const std::string& where) {
  bool too_deep = false;
  const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) too_deep = true;
    return !too_deep;
  };
  try {
    Json json = Json::parse(text, limit_depth);
    if (!too_deep) return json;
  } catch (const nlohmann::json::exception&) {
    if (!too_deep) fail("{} is not valid JSON", where);
  }
  fail("{} is nested more than {} levels deep", where, kMaxDepth);
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path, kMaxJsonBytes), path.string());
}

std::string json_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool is_utf8(std::string_view text) {
  try {
    return !Json(text).dump().empty();
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

void write_json(const std::filesystem::path& path, const Json& json) {
  write_file(path, json_text(json));
}

void check_schema(const Json& json, std::string_view schema, const std::string& where) {
  if (!json.is_object() || !json.contains("schema")) {
    fail("{} is not a {} file: it has no \"schema\" field", where, schema);
  }
  const auto found = field<std::string>(json, "schema", where);
  if (found != schema) fail("{} has schema \"{}\"; \"{}\" is expected", where, found, schema);
}

}  // namespace nestling
