#include "train/distillation.h"

#include <algorithm>
#include <span>

#include "train/team.h"

namespace nestling {
namespace {

constexpr double kAttentionWeight = 0.1;

// The last value of each resolution, outputs aside.
std::vector<ValueId> stages(const Graph& graph) {
  std::vector<ValueId> last;
  Shape before;
  for (const Node& node : graph.nodes) {
    const Shape& shape = graph.value(node.output).shape;
    if (shape.size() != 4 || shape[2] * shape[3] < 2) continue;
    const Shape extent{shape[2], shape[3]};
    if (last.empty() || extent != before) last.push_back(node.output);
    last.back() = node.output;
    before = extent;
  }
  std::erase_if(last, [&](ValueId id) {
    return std::find(graph.outputs.begin(), graph.outputs.end(), id) != graph.outputs.end();
  });
  return last;
}

at::Tensor attention(const at::Tensor& maps) {
  const at::Tensor map = maps.square().sum(1).flatten(1);
  return map / (map.norm(2, 1, true) + 1e-8);
}

// Over the whole batch, of which this process may have a part.
double mean_of_all(const at::Tensor& part, const Batch& batch) {
  double mean = part.mean().item<double>() * batch.share;
  if (Team* team = Team::current()) team->sum(std::span(&mean, 1));
  return mean;
}

}  // namespace

Distillation::Distillation(const Graph& teacher, const Graph& student) : teacher_(teacher) {
  const std::vector<ValueId> ids = stages(student);
  for (const ValueId id : ids) {
    const ValueId same = find_value(teacher, student.value(id).name);
    if (same >= 0) stages_[id] = same;
  }
}

at::Tensor Distillation::loss(Network& student, const Batch& batch) {
  const at::Tensor images = batch.images();
  std::map<ValueId, at::Tensor> attentions;  // by the teacher's value
  std::vector<at::Tensor> wanted;
  {
    const c10::NoGradGuard no_gradient;
    for (const auto& [own, its] : stages_) attentions.emplace(its, at::Tensor());
    wanted = teacher_.outputs({images}, Network::Mode::evaluate,
                              [&](ValueId id, const at::Tensor& maps) {
                                const auto found = attentions.find(id);
                                if (found != attentions.end()) found->second = attention(maps);
                              });
  }
  at::Tensor loss = at::zeros({}, device());
  const std::vector<at::Tensor> found =
      student.outputs({images}, Network::Mode::train, [&](ValueId id, const at::Tensor& maps) {
        const auto stage = stages_.find(id);
        if (stage == stages_.end()) return;
        const at::Tensor difference = attention(maps) - attentions[stage->second];
        loss = loss + difference.square().sum(1).mean() * kAttentionWeight;
      });
  for (size_t i = 0; i < wanted.size(); ++i) {
    const at::Tensor difference = (found[i] - wanted[i]).square().mean();
    loss = loss + difference / (mean_of_all(wanted[i].square(), batch) + 1e-8);
  }
  return loss;
}

}  // namespace nestling
