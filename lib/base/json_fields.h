// Typed access to fields of a JSON object. Includes json.hpp: for sources only.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace nestling {

namespace detail {

template <typename T>
struct Holds {
  // Of numbers, json.hpp converts any to any: 1.5 to 1, and 1e70 to something undefined.
  static bool check(const Json& json) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      if (json.is_number_unsigned()) return std::in_range<T>(json.get<uint64_t>());
      return json.is_number_integer() && std::in_range<T>(json.get<int64_t>());
    }
    return true;
  }
};

template <typename T>
struct Holds<std::vector<T>> {
  static bool check(const Json& json) {
    return json.is_array() && std::all_of(json.begin(), json.end(), Holds<T>::check);
  }
};

}  // namespace detail

// `json` as a T. Throws Error naming `place` if it is of another type or out of T's range.
template <typename T>
T value_of(const Json& json, const std::string& place) {
  try {
    if (detail::Holds<T>::check(json)) return json.get<T>();
  } catch (const nlohmann::json::exception&) {  // told below
  }
  fail("{} has the wrong type", place);
}

// The field `key` of `object` as T. Throws Error naming `where` and the field if it is missing or
// of another type.
template <typename T>
T field(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object() || !object.contains(key))
    fail("{}: the field \"{}\" is missing", where, key);
  return value_of<T>(object.at(key), fmt::format("{}: the field \"{}\"", where, key));
}

// The same, or `otherwise` if the field is missing.
template <typename T>
T field_or(const Json& json, const char* key, const std::string& where, T otherwise) {
  return json.contains(key) ? field<T>(json, key, where) : otherwise;
}

}  // namespace nestling
