#include "runtime/profile.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <string>

namespace nestling::runtime {
namespace {

constexpr size_t kMaxBytes = 1U << 20;
constexpr size_t kMaxCapacities = 64;

// What is asked for of a capacity.
struct Found {
  std::optional<double> accuracy, latency_ms, page_in_ms;
  std::optional<uint64_t> weights, activations;

  bool complete() const { return accuracy && latency_ms && page_in_ms && weights && activations; }
  CapacityCost cost() const {
    return {.accuracy = *accuracy,
            .latency_s = *latency_ms / 1000,
            .memory_bytes = *weights + *activations,
            .page_in_s = *page_in_ms / 1000};
  }
};

// Takes what is asked for from a profile as it is read. (RapidJSON's documents, as Debian has them,
// do not compile by clang 19.)
class Handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
 public:
  std::string schema;
  std::vector<Found> capacities;
  bool complete = false;  // there is an array of these, and nothing else in it

  bool StartObject() {
    if (is_at("capacities", "") && capacities.size() < kMaxCapacities) capacities.emplace_back();
    return enter();
  }
  bool Key(const char* name, rapidjson::SizeType length, bool /*copy*/) {
    if (depth_ <= names_.size()) names_[depth_ - 1].assign(name, length);
    return true;
  }
  bool EndObject(rapidjson::SizeType /*count*/) { return leave(); }
  bool StartArray() { return enter(); }
  bool EndArray(rapidjson::SizeType count) {
    leave();
    if (is_at("capacities")) complete = count == capacities.size();
    return true;
  }
  bool String(const char* text, rapidjson::SizeType length, bool /*copy*/) {
    if (is_at("schema")) schema.assign(text, length);
    return true;
  }
  bool Int(int number) { return take(number); }
  bool Int64(int64_t number) { return take(static_cast<double>(number)); }
  bool Double(double number) { return take(number); }
  bool Uint(unsigned number) { return count(number); }
  bool Uint64(uint64_t number) { return count(number); }

 private:
  // Whether what is read now is what these names lead to; that of an array's values is empty.
  template <class... Names>
  bool is_at(const Names&... names) const {
    size_t at = 0;
    return depth_ == sizeof...(names) && ((names_[at++] == names) && ...);
  }

  bool enter() {
    if (depth_ < names_.size()) names_[depth_].clear();
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  bool take(double number) {
    if (is_at("capacities", "", "accuracy")) capacities.back().accuracy = number;
    if (is_at("capacities", "", "latency_ms", "median")) capacities.back().latency_ms = number;
    if (is_at("capacities", "", "upgrade", "ms")) capacities.back().page_in_ms = number;
    return true;
  }
  bool count(uint64_t number) {
    if (number <= uint64_t{1} << 50) {
      if (is_at("capacities", "", "memory", "weights_bytes")) capacities.back().weights = number;
      if (is_at("capacities", "", "memory", "activation_bytes")) {
        capacities.back().activations = number;
      }
    }
    return take(static_cast<double>(number));
  }

  size_t depth_ = 0;                  // objects and arrays around what is read
  std::array<std::string, 4> names_;  // of it in the outermost ones
};

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

  Handler profile;
  rapidjson::Reader reader;
  rapidjson::MemoryStream stream(text.data(), text.size());
  if (!reader.Parse<rapidjson::kParseIterativeFlag>(stream, profile)) return bad(" is not JSON");
  if (profile.schema != "nestling/profile/1") return bad(" is not a profile");
  if (profile.capacities.empty() || !profile.complete) {
    return bad(" has not 1 to 64 capacities");
  }
  std::vector<CapacityCost> result;
  for (const Found& found : profile.capacities) {
    if (!found.complete()) {
      return bad(": capacity " + std::to_string(result.size() + 1) +
                 " lacks its accuracy, latency_ms.median, memory or upgrade.ms");
    }
    result.push_back(found.cost());
  }
  // Ranges are the scheduler's to say.
  if (Status status = check_problem({{}, {{name, result}}}, {}); !status.ok()) {
    return bad(": a capacity has numbers out of range");
  }
  return result;
}

}  // namespace nestling::runtime
