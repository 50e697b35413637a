#include "base/json.h"

#include "support/catch.h"

#include "base/error.h"
#include "base/json_fields.h"

using nestling::parse_json;

TEST_CASE("numbers that do not fit are refused") {
  const auto json = parse_json(
      R"({"big": 1e70, "half": 1.5, "long": 18446744073709551615, "list": [1, 2e60]})", "x.json");
  for (const char* key : {"big", "half", "long"}) {
    INFO(key);
    CHECK_THROWS_WITH(nestling::field<int64_t>(json, key, "x.json"),
                      ContainsSubstring(key) && ContainsSubstring("wrong type"));
  }
  CHECK_THROWS_AS(nestling::field<std::vector<int64_t>>(json, "list", "x.json"), nestling::Error);
  CHECK(nestling::field<uint64_t>(json, "long", "x.json") == UINT64_MAX);
  CHECK(nestling::field<double>(json, "half", "x.json") == 1.5);
}

TEST_CASE("fields are typed, and an error names the place and the field") {
  const auto json = parse_json(R"({"schema": "s/1", "n": 3})", "x.json");
  CHECK(nestling::field<int>(json, "n", "x.json") == 3);
  CHECK_THROWS_WITH(
      nestling::field<std::string>(json, "n", "x.json"),
      ContainsSubstring("x.json") && ContainsSubstring("\"n\"") && ContainsSubstring("type"));
  CHECK_THROWS_WITH(nestling::field<int>(json, "m", "x.json"), ContainsSubstring("missing"));
  CHECK_NOTHROW(nestling::check_schema(json, "s/1", "x.json"));
  CHECK_THROWS_WITH(nestling::check_schema(json, "s/2", "x.json"), ContainsSubstring("s/2"));
}

TEST_CASE("hostile JSON is refused") {
  CHECK_THROWS_WITH(parse_json("{\"a\": ", "x.json"), ContainsSubstring("not valid JSON"));
  CHECK_THROWS_WITH(parse_json(std::string(100000, '['), "x.json"),
                    ContainsSubstring("levels deep"));
}

TEST_CASE("text that is not UTF-8 is replaced where it is written, and can be told") {
  CHECK(nestling::is_utf8("caf\xc3\xa9"));
  CHECK(nestling::is_utf8(""));
  CHECK_FALSE(nestling::is_utf8("caf\xe9"));
  CHECK(nestling::json_text({{"file", "caf\xe9"}}) == "{\n  \"file\": \"caf\xef\xbf\xbd\"\n}\n");
}
