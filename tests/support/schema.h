// Validates what we write against the schemas that we publish.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "support/catch.h"

#include "base/file.h"

namespace test {

// Checks that `text` is JSON that schemas/`schema` accepts.
inline void check_schema(const std::string& text, const std::string& schema) {
  const auto schema_json =
      nlohmann::json::parse(nestling::read_file(std::string(NESTLING_SCHEMAS) + "/" + schema));
  const auto json = nlohmann::json::parse(text);
  valijson::Schema parsed;
  valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_json),
                                          parsed);
  valijson::Validator validator;
  valijson::ValidationResults results;
  const bool valid =
      validator.validate(parsed, valijson::adapters::NlohmannJsonAdapter(json), &results);
  std::string problems;
  for (const auto& error : results) {
    for (const auto& part : error.context) problems += part;
    problems += ": " + error.description + "\n";
  }
  INFO(problems);
  CHECK(valid);
}

}  // namespace test
