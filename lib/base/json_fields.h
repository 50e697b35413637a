// Typed access to fields of a JSON object. Includes json.hpp: for sources only.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/json.h"

namespace nestling {

// The field `key` of `object` as T. Throws Error naming `where` and the field if it is missing or
// of another type.
template <typename T>
T field(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object() || !object.contains(key))
    fail("{}: the field \"{}\" is missing", where, key);
  try {
    return object.at(key).get<T>();
  } catch (const nlohmann::json::exception&) {
    fail("{}: the field \"{}\" has the wrong type", where, key);
  }
}

}  // namespace nestling
