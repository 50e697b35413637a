#include "train/checkpoint.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"

namespace nestling {
namespace {

constexpr const char* kSchema = "nestling/checkpoint/1";

// Calls visit(tensor) for every tensor of a checkpoint, const or not, in the file's order.
template <typename AnyCheckpoint, typename F>
void for_each_tensor(AnyCheckpoint& checkpoint, const F& visit) {
  for (auto& value : checkpoint.graph.values) {
    if (value.constant) visit(*value.constant);
  }
  for (auto& tensor : checkpoint.momentum) visit(tensor);
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  std::string floats;
  for_each_tensor(checkpoint, [&](const Tensor& tensor) {
    floats.append(reinterpret_cast<const char*>(tensor.data.data()),
                  tensor.data.size() * sizeof(float));
  });
  const Json header = {{"schema", kSchema},           {"training", checkpoint.training},
                       {"epochs", checkpoint.epochs}, {"mean_loss", checkpoint.mean_loss},
                       {"rate", checkpoint.rate},     {"sha256", sha256(floats)}};
  write_file(path, header.dump() + "\n" + floats);
}

std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& path,
                                          const Checkpoint& start) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  const std::string where = path.string();
  const std::string bytes = read_file(path);
  const size_t line = std::min(bytes.find('\n'), bytes.size());
  const Json header = parse_json(std::string_view(bytes).substr(0, line), where);
  check_schema(header, kSchema, where);
  if (field<std::string>(header, "training", where) != start.training) return {};
  Checkpoint checkpoint = start;
  checkpoint.epochs = field<int>(header, "epochs", where);
  checkpoint.mean_loss = field<double>(header, "mean_loss", where);
  checkpoint.rate = field<double>(header, "rate", where);
  const std::string_view floats = std::string_view(bytes).substr(std::min(line + 1, bytes.size()));
  size_t size = 0;
  for_each_tensor(checkpoint, [&](const Tensor& t) { size += t.data.size() * sizeof(float); });
  if (floats.size() != size || sha256(floats) != field<std::string>(header, "sha256", where)) {
    fail("{} is damaged; remove it to train from the start", where);
  }
  const char* from = floats.data();
  for_each_tensor(checkpoint, [&](Tensor& tensor) {
    std::memcpy(tensor.data.data(), from, tensor.data.size() * sizeof(float));
    from += tensor.data.size() * sizeof(float);
  });
  return checkpoint;
}

bool remove_checkpoint(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::remove(path, error);
}

}  // namespace nestling
