#include "runtime/profile.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <rapidjson/document.h>
#include <string>

namespace nestling::runtime {
namespace {

constexpr size_t kMaxBytes = 1U << 20;
constexpr size_t kMaxCapacities = 64;

using Value = rapidjson::Value;

// Null if `object` is none, or has no such member.
const Value* member(const Value* object, const char* name) {
  if (object == nullptr || !object->IsObject()) return nullptr;
  const auto found = object->FindMember(name);
  return found == object->MemberEnd() ? nullptr : &found->value;
}

bool read_number(const Value* value, double& number) {
  if (value == nullptr || !value->IsNumber()) return false;
  number = value->GetDouble();
  return true;
}

bool read_count(const Value* value, uint64_t& count) {
  if (value == nullptr || !value->IsUint64()) return false;
  count = value->GetUint64();
  return count <= uint64_t{1} << 50;
}

bool read_capacity(const Value& json, CapacityCost& cost) {
  const Value* memory = member(&json, "memory");
  double latency_ms = 0, page_in_ms = 0;
  uint64_t weights = 0, activations = 0;
  if (!read_number(member(&json, "accuracy"), cost.accuracy) ||
      !read_number(member(member(&json, "latency_ms"), "median"), latency_ms) ||
      !read_number(member(member(&json, "upgrade"), "ms"), page_in_ms) ||
      !read_count(member(memory, "weights_bytes"), weights) ||
      !read_count(member(memory, "activation_bytes"), activations)) {
    return false;
  }
  cost.latency_s = latency_ms / 1000;
  cost.page_in_s = page_in_ms / 1000;
  cost.memory_bytes = weights + activations;
  return true;
}

}  // namespace

Result<std::vector<CapacityCost>> read_profile(const char* path) {
  const std::string name = path;
  const auto bad = [&](const std::string& what) {
    return Status(StatusCode::bad_format, name + what);
  };
  const auto close = [](std::FILE* open) { std::fclose(open); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path, "rbe"), close);
  if (file == nullptr) {
    return Status(StatusCode::io, "cannot open " + name + ": " + std::strerror(errno));
  }
  std::string text(kMaxBytes, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return Status(StatusCode::io, "cannot read " + name);

  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (json.HasParseError()) return bad(" is not JSON");
  const Value* schema = member(&json, "schema");
  if (schema == nullptr || !schema->IsString() ||
      std::strcmp(schema->GetString(), "nestling/profile/1") != 0) {
    return bad(" is not a profile");
  }
  const Value* capacities = member(&json, "capacities");
  if (capacities == nullptr || !capacities->IsArray() || capacities->Empty() ||
      capacities->Size() > kMaxCapacities) {
    return bad(" has not 1 to 64 capacities");
  }
  std::vector<CapacityCost> result;
  for (const Value& capacity : capacities->GetArray()) {
    if (!read_capacity(capacity, result.emplace_back())) {
      return bad(": capacity " + std::to_string(result.size()) +
                 " lacks its accuracy, latency_ms.median, memory or upgrade.ms");
    }
  }
  // Ranges are the scheduler's to say.
  if (Status status = check_problem({{}, {{name, result}}}, {}); !status.ok()) {
    return bad(": a capacity has numbers out of range");
  }
  return result;
}

}  // namespace nestling::runtime
