#include "train/loss.h"

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

Loss::Loss(const Graph& graph, const Dataset& data, const TrainOptions& options)
    : options_(options) {
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
  plain_ = view(options.teacher_outputs.plain);
  flipped_ = view(options.teacher_outputs.flipped);
}

Loss::WithOutputs Loss::of(Network& network, const Batch& batch, const at::Tensor& teacher) {
  const at::Tensor outputs = network.forward(batch.images(), Network::Mode::train);
  return {loss_of(outputs, batch.targets(), teacher, options_) * batch.share, outputs};
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
