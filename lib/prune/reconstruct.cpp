#include "prune/reconstruct.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "base/random.h"
#include "graph/surgery.h"
#include "train/evaluate.h"
#include "train/network.h"
#include "train/torch.h"
#include "train/train.h"

namespace nestling {
namespace {

constexpr double kRidge = 1e-3;
constexpr int64_t kMaxBytes = int64_t{1} << 30;
constexpr int64_t kMostImages = 500;   // to fit by; the statistics are of all
constexpr int64_t kRowsPerColumn = 4;  // of X, at least, where the images have as many

at::Tensor indices(const std::vector<int64_t>& of) {
  return at::from_blob(const_cast<int64_t*>(of.data()), {std::ssize(of)}, at::kLong)
      .clone()
      .to(device());
}

// One layer whose inputs are cut, and what the images have said of it so far.
class Layer {
 public:
  Layer(const Graph& graph, const Node& node, std::vector<int64_t> outputs,
        std::vector<int64_t> inputs, bool centred)
      : node_(node), outputs_(std::move(outputs)), inputs_(std::move(inputs)), centred_(centred) {
    const at::Tensor weight = to_torch(graph.constant(node.inputs[1]));
    taps_ = weight.numel() / (weight.size(0) * weight.size(1));
    std::vector<int64_t> kept, cut;
    std::vector<bool> stays(static_cast<size_t>(weight.size(1)));
    for (const int64_t input : inputs_) stays[static_cast<size_t>(input)] = true;
    for (const int64_t input : inputs_) append_taps(kept, input);
    for (int64_t input = 0; input < weight.size(1); ++input) {
      if (!stays[static_cast<size_t>(input)]) append_taps(cut, input);
    }
    kept_ = indices(kept);
    cut_ = indices(cut);
    cut_weight_ = weight.index_select(0, indices(outputs_)).flatten(1).index_select(1, cut_);
    const auto options = at::TensorOptions(at::kDouble).device(device());
    products_ = at::zeros({std::ssize(kept), std::ssize(kept)}, options);
    targets_ = at::zeros({std::ssize(kept), std::ssize(outputs_)}, options);
    input_sum_ = at::zeros({std::ssize(kept)}, options);
    target_sum_ = at::zeros({std::ssize(outputs_)}, options);
  }

  static int64_t bytes(int64_t inputs, int64_t outputs, int64_t taps) {
    const int64_t columns = inputs * taps;
    return columns * (columns + outputs) * static_cast<int64_t>(sizeof(double));
  }

  ValueId input() const { return node_.inputs[0]; }
  const Node& node() const { return node_; }

  // Looks at some pixels of the outputs for one image of `images`.
  void see(const at::Tensor& image, int64_t images, Random& random) {
    at::Tensor rows = patches(image);
    const int64_t wanted = std::max<int64_t>(1, kRowsPerColumn * kept_.numel() / images);
    if (rows.size(0) > wanted) {
      std::vector<int64_t> drawn(static_cast<size_t>(wanted));
      for (int64_t& row : drawn) {
        row = static_cast<int64_t>(random.below(static_cast<uint64_t>(rows.size(0))));
      }
      rows = rows.index_select(0, indices(drawn));
    }
    const at::Tensor x = rows.index_select(1, kept_).to(at::kDouble);
    const at::Tensor lost = at::matmul(rows.index_select(1, cut_), cut_weight_.t()).to(at::kDouble);
    products_.addmm_(x.t(), x);
    targets_.addmm_(x.t(), lost);
    input_sum_ += x.sum(0);
    target_sum_ += lost.sum(0);
    count_ += rows.size(0);
  }

  // The change of the weights, [columns, outputs]; undefined if the inputs are all zero.
  at::Tensor solve() const {
    at::Tensor left = products_, right = targets_;
    if (centred_) {
      left = left - at::outer(input_sum_, input_sum_) / count_;
      right = right - at::outer(input_sum_, target_sum_) / count_;
    }
    const double ridge = kRidge * left.diagonal().mean().item<double>();
    if (!(ridge > 0)) return {};
    left = left + ridge * at::eye(left.size(0), left.options());
    return at::cholesky_solve(right, at::linalg_cholesky(left));
  }

  // Into the cut network.
  void refit(Graph& cut, const Graph& whole) const {
    const at::Tensor change = solve();
    if (!change.defined()) return;
    Tensor& weight = cut.constant(find_value(cut, whole.value(node_.inputs[1]).name));
    const at::Tensor now = to_torch(weight);
    weight = from_torch(now + change.t().to(at::kFloat).reshape(now.sizes()));
    if (!centred_ || node_.inputs.size() < 3) return;
    Tensor& bias = cut.constant(find_value(cut, whole.value(node_.inputs[2]).name));
    const at::Tensor mean = (target_sum_ - at::matmul(change.t(), input_sum_)) / count_;
    bias = from_torch(to_torch(bias) + mean.to(at::kFloat));
  }

 private:
  void append_taps(std::vector<int64_t>& columns, int64_t input) const {
    for (int64_t tap = 0; tap < taps_; ++tap) columns.push_back(input * taps_ + tap);
  }

  // What each pixel of the output sees, [pixels, inputs x taps].
  at::Tensor patches(const at::Tensor& image) const {
    const auto* conv = std::get_if<Conv>(&node_.op);
    if (conv == nullptr) return image.reshape({-1, image.size(-1)});
    const Padding& p = conv->padding;
    const at::Tensor x = at::constant_pad_nd(image, {p[1], p[3], p[0], p[2]});
    return at::im2col(x, conv->kernel, conv->dilation, {0, 0}, conv->stride)[0].t();
  }

  const Node& node_;
  std::vector<int64_t> outputs_, inputs_;  // of the whole network's, that stay
  bool centred_;
  int64_t taps_ = 1;
  at::Tensor kept_, cut_;  // columns
  at::Tensor cut_weight_;
  at::Tensor products_, targets_, input_sum_, target_sum_;
  int64_t count_ = 0;
};

// Whether a constant shift of the node's output is made up for: by its bias, or by the batch norms
// behind it.
bool shift_is_free(const Graph& graph, const Node& node) {
  if (node.inputs.size() > 2) return graph.value(node.inputs[2]).constant.has_value();
  bool used = false;
  for (const Node& user : graph.nodes) {
    if (std::find(user.inputs.begin(), user.inputs.end(), node.output) == user.inputs.end()) {
      continue;
    }
    if (!std::holds_alternative<BatchNorm>(user.op)) return false;
    used = true;
  }
  return used;
}

}  // namespace

Graph reconstructed(const Graph& whole, const ChannelGroups& groups, const KeptChannels& kept,
                    const Dataset& images, uint64_t seed) {
  Graph cut = keep(whole, groups, kept);
  const Dataset some = take(images, kMostImages);
  std::map<ValueId, int> uses;
  for (const Node& node : whole.nodes) {
    for (const ValueId input : node.inputs) ++uses[input];
  }
  std::vector<Layer> layers;
  int64_t bytes = 0;
  const auto run = [&] {
    if (layers.empty()) return;
    Random random(seed);
    std::set<ValueId> wanted;
    for (const Layer& layer : layers) wanted.insert(layer.input());
    observe(whole, some, 50, wanted,
            [&](std::span<const int64_t>, ValueId value, const Tensor& content) {
              const at::Tensor batch = to_torch(content);
              for (Layer& layer : layers) {
                if (layer.input() != value) continue;
                for (int64_t n = 0; n < batch.size(0); ++n) {
                  layer.see(batch.narrow(0, n, 1), some.size(), random);
                }
              }
            });
    for (const Layer& layer : layers) layer.refit(cut, whole);
    layers.clear();
    bytes = 0;
  };
  const c10::NoGradGuard no_gradient;
  for (const Node& node : whole.nodes) {
    const bool conv = std::holds_alternative<Conv>(node.op);
    if (!conv && !std::holds_alternative<Gemm>(node.op)) continue;
    const Value& weight = whole.value(node.inputs[1]);
    if (!weight.constant || uses[node.inputs[1]] > 1) continue;
    if (node.inputs.size() > 2 && uses[node.inputs[2]] > 1) continue;
    if (conv && whole.value(node.inputs[0]).shape[1] != weight.shape[1]) continue;  // grouped
    const auto& labels = groups.labels[static_cast<size_t>(node.inputs[1])];
    const auto along = [&](size_t axis) {
      if (labels.size() > axis && !labels[axis].empty()) return kept_indices(labels[axis], kept);
      std::vector<int64_t> all(static_cast<size_t>(weight.shape[axis]));
      std::iota(all.begin(), all.end(), 0);
      return all;
    };
    std::vector<int64_t> outputs = along(0), inputs = along(1);
    if (std::ssize(inputs) == weight.shape[1]) continue;  // it lost none
    const int64_t more =
        Layer::bytes(std::ssize(inputs), std::ssize(outputs),
                     element_count(weight.shape) / (weight.shape[0] * weight.shape[1]));
    if (bytes + more > kMaxBytes) run();
    bytes += more;
    layers.emplace_back(whole, node, std::move(outputs), std::move(inputs),
                        shift_is_free(whole, node));
  }
  run();
  return with_statistics_of(cut, images, 50);
}

}  // namespace nestling
