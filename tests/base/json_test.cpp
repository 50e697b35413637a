#include "base/json.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/json_fields.h"

using Catch::Contains;
using nestling::parse_json;

TEST_CASE("fields are typed, and an error names the place and the field") {
  const auto json = parse_json(R"({"schema": "s/1", "n": 3})", "x.json");
  CHECK(nestling::field<int>(json, "n", "x.json") == 3);
  CHECK_THROWS_WITH(nestling::field<std::string>(json, "n", "x.json"),
                    Contains("x.json") && Contains("\"n\"") && Contains("type"));
  CHECK_THROWS_WITH(nestling::field<int>(json, "m", "x.json"), Contains("missing"));
  CHECK_NOTHROW(nestling::check_schema(json, "s/1", "x.json"));
  CHECK_THROWS_WITH(nestling::check_schema(json, "s/2", "x.json"), Contains("s/2"));
}

TEST_CASE("hostile JSON is refused") {
  CHECK_THROWS_WITH(parse_json("{\"a\": ", "x.json"), Contains("not valid JSON"));
  CHECK_THROWS_WITH(parse_json(std::string(100000, '['), "x.json"), Contains("levels deep"));
}
