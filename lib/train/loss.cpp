#include "train/loss.h"

#include <limits>

#include "base/error.h"

namespace nestling {
namespace {

at::Tensor loss_of(const at::Tensor& logits, const at::Tensor& label, const at::Tensor& teacher,
                   const TrainOptions& options) {
  const at::Tensor loss =
      at::cross_entropy_loss(logits, label, {}, at::Reduction::Mean, -100, options.label_smoothing);
  if (!teacher.defined()) return loss;
  const double t = options.temperature, w = options.teacher_weight;
  const at::Tensor distance =
      at::kl_div(at::log_softmax(logits / t, 1), at::softmax(teacher / t, 1), at::Reduction::Sum) /
      logits.size(0);
  return loss * (1 - w) + distance * (w * t * t);
}

}  // namespace

at::Tensor logits_of(const at::Tensor& probabilities) {
  return probabilities.clamp_min(std::numeric_limits<float>::min()).log();
}

Loss::Loss(const Graph& graph, const Dataset& data, const TrainOptions& options)
    : options_(options), probabilities_(gives_probabilities(graph)) {
  if (data.classes.empty()) {
    distillation_.emplace(*options.teacher, graph);
    return;
  }
  const auto classes = static_cast<int64_t>(data.classes.size());
  const auto view = [&](const std::vector<float>& outputs) -> at::Tensor {
    if (outputs.empty()) return {};
    if (static_cast<int64_t>(outputs.size()) != data.size() * classes) {
      fail("the teacher's outputs do not belong to this data");
    }
    return at::from_blob(const_cast<float*>(outputs.data()), {data.size(), classes});
  };
  plain_ = view(options.teacher_logits.plain);
  flipped_ = view(options.teacher_logits.flipped);
}

Loss::WithLogits Loss::of(Network& network, const Batch& batch, const at::Tensor& teacher) {
  at::Tensor logits = network.forward(batch.images(), Network::Mode::train);
  if (probabilities_) logits = logits_of(logits);
  return {loss_of(logits, batch.targets(), teacher, options_) * batch.share, logits};
}

at::Tensor Loss::of(Network& network, const Batch& batch) {
  if (distillation_) return distillation_->loss(network, batch) * batch.share;
  return of(network, batch, teacher(batch)).loss;
}

at::Tensor Loss::teacher(const Batch& batch) const {
  if (!plain_.defined()) return {};
  const auto count = std::ssize(batch.indices);
  at::Tensor rows = at::empty({count, plain_.size(1)});
  for (int64_t n = 0; n < count; ++n) {
    const auto i = static_cast<size_t>(n);
    const bool flipped = batch.flipped[i] != 0 && flipped_.defined();
    rows[n].copy_((flipped ? flipped_ : plain_)[batch.indices[i]]);
  }
  return rows.to(device());
}

}  // namespace nestling
