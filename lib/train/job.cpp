#include "train/job.h"

#include <nlohmann/json.hpp>
#include <span>
#include <type_traits>
#include <vector>

#include "base/json.h"
#include "graph/onnx.h"

namespace nestling {
namespace {

// Numbers, as many as process 0 has.
template <typename T>
void share(Team& team, std::vector<T>& numbers) {
  static_assert(std::is_arithmetic_v<T>);
  uint64_t size = numbers.size();
  team.share(std::span(reinterpret_cast<char*>(&size), sizeof size));
  numbers.resize(size);
  team.share(std::span(reinterpret_cast<char*>(numbers.data()), size * sizeof(T)));
}

void share(Team& team, Graph& graph) {
  std::string bytes = team.rank() == 0 && !graph.nodes.empty() ? export_onnx(graph) : "";
  team.share(bytes);
  if (team.rank() != 0) graph = bytes.empty() ? Graph{} : import_onnx(bytes, "the training's");
}

Json fields_of(const Job& job, const Dataset& data) {
  Json masks = Json::array();
  for (const auto& [id, mask] : job.options.masks) {
    masks.push_back({{"name", job.start.graph.value(id).name}, {"shape", mask.shape}});
  }
  Json momentum = Json::array();
  for (const Tensor& tensor : job.start.momentum) momentum.push_back(tensor.shape);
  const TrainOptions& options = job.options;
  return {{"kind", job.kind},
          {"epochs_done", job.start.epochs},
          {"mean_loss", job.start.mean_loss},
          {"rate", job.start.rate},
          {"momentum", momentum},
          {"masks", masks},
          {"options", to_json(options)},
          {"sgd", {options.momentum, options.weight_decay, options.temperature}},
          {"data",
           {{"name", data.name},
            {"split", data.split},
            {"classes", data.classes},
            {"mean", data.mean},
            {"deviation", data.deviation},
            {"shape", {data.channels, data.height, data.width, data.resize}}}}};
}

void take_fields(Job& job, Dataset& data, const Json& json) {
  job.kind = json["kind"];
  job.start.epochs = json["epochs_done"];
  job.start.mean_loss = json["mean_loss"];
  job.start.rate = json["rate"];
  TrainOptions& options = job.options;
  const Json& set = json["options"];
  options.epochs = set["epochs"];
  options.batch = set["batch"];
  options.learning_rate = set["learning_rate"];
  options.label_smoothing = set["label_smoothing"];
  options.clip = set["clip"];
  options.augment = parse_augment(set["augment"]);
  options.teacher_weight = set["teacher_weight"];
  options.seed = set["seed"];
  options.momentum = json["sgd"][0];
  options.weight_decay = json["sgd"][1];
  options.temperature = json["sgd"][2];
  const Json& about = json["data"];
  data.name = about["name"];
  data.split = about["split"];
  data.classes = about["classes"].get<std::vector<std::string>>();
  data.mean = about["mean"].get<std::vector<float>>();
  data.deviation = about["deviation"].get<std::vector<float>>();
  data.channels = about["shape"][0];
  data.height = about["shape"][1];
  data.width = about["shape"][2];
  data.resize = about["shape"][3];
}

// Nothing changes in process 0.
void share(Team& team, Job& job, Dataset& data) {
  const bool first = team.rank() == 0;
  std::string text = first ? fields_of(job, data).dump() : "";
  team.share(text);
  const Json json = Json::parse(text);
  if (!first) take_fields(job, data, json);
  if (job.kind.empty()) return;

  share(team, job.start.graph);
  share(team, job.teacher);
  share(team, job.options.teacher_logits.plain);
  share(team, job.options.teacher_logits.flipped);
  if (!first) {
    job.start.momentum.clear();
    for (const Json& shape : json["momentum"]) job.start.momentum.push_back({shape, {}});
    job.options.masks.clear();
    for (const Json& mask : json["masks"]) {
      job.options.masks[find_value(job.start.graph, mask["name"])] = {mask["shape"], {}};
    }
  }
  for (Tensor& tensor : job.start.momentum) share(team, tensor.data);
  // In the order of the names' list, which is process 0's.
  for (const Json& mask : json["masks"]) {
    share(team, job.options.masks.at(find_value(job.start.graph, mask["name"])).data);
  }

  std::string known = first ? "" : digest(data);
  std::string sent = first ? digest(data) : "";
  team.share(sent);
  double missing = known == sent || first ? 0 : 1;
  team.sum(std::span(&missing, 1));
  if (missing == 0) return;
  share(team, data.pixels);
  share(team, data.labels);
}

}  // namespace

void give_job(Team& team, const Job& job, const Dataset& data) {
  share(team, const_cast<Job&>(job), const_cast<Dataset&>(data));
}

void take_job(Team& team, Job& job, Dataset& data) { share(team, job, data); }

}  // namespace nestling
