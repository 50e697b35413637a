// Channel groups and surgery on random networks, against zeroing and against brute force.
#include "support/random_graph.h"

#include <map>
#include <numeric>
#include <set>

#include "support/catch.h"
#include "support/channels.h"

#include "graph/interpreter.h"

using nestling::Graph;
using nestling::Tensor;

namespace {

// Largest difference, relative to the largest element.
double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape == b.shape);
  double most = 0, scale = 1e-3;
  for (size_t i = 0; i < a.data.size(); ++i) {
    most = std::max(most, std::abs(static_cast<double>(a.data[i]) - b.data[i]));
    scale = std::max(scale, std::abs(static_cast<double>(b.data[i])));
  }
  return most / scale;
}

}  // namespace

TEST_CASE("in random networks, cutting channels equals zeroing them", "[random]") {
  test::for_random_networks(300, 8, [](const Graph& graph, uint64_t seed) {
    nestling::Random random(seed);
    const auto groups = nestling::find_groups(graph);
    nestling::KeptChannels kept;
    for (size_t g = 0; g < groups.groups.size(); ++g) {
      const auto& group = groups.groups[g];
      if (group.fixed || random.below(4) == 0) continue;
      const auto count = 1 + static_cast<int64_t>(random.below(static_cast<uint64_t>(group.width)));
      kept[static_cast<int32_t>(g)] = test::random_channels(group.width, count, random);
    }
    const Tensor x = test::random_tensor({1, 3, 8, 8}, random);
    const Tensor cut = nestling::interpret(nestling::keep(graph, groups, kept), x).at(0);
    CHECK(difference(cut, nestling::interpret(test::zeroed(graph, groups, kept), x).at(0)) < 1e-5);
  });
}

TEST_CASE("in random networks, a permutation changes nothing", "[random]") {
  test::for_random_networks(300, 8, [](const Graph& graph, uint64_t seed) {
    nestling::Random random(seed);
    const auto groups = nestling::find_groups(graph);
    nestling::KeptChannels kept;
    for (size_t g = 0; g < groups.groups.size(); ++g) {
      const auto& group = groups.groups[g];
      if (group.fixed) continue;
      kept[static_cast<int32_t>(g)] = test::random_channels(group.width, group.width, random);
    }
    const Tensor x = test::random_tensor({1, 3, 8, 8}, random);
    const Tensor permuted = nestling::interpret(nestling::keep(graph, groups, kept), x).at(0);
    CHECK(difference(permuted, nestling::interpret(graph, x).at(0)) < 5e-5);  // sums in other order
  });
}

namespace {

// Finds which channels belong together from what each node computes, by changing one channel after
// the other; it knows nothing of operators but their outputs.
class BruteForce {
 public:
  BruteForce(const Graph& graph, uint64_t seed) : graph_(graph), random_(seed) {
    for (size_t v = 0; v < graph.values.size(); ++v) {
      for (const int64_t size : graph.values[v].shape) {
        first_[v].push_back(parent_.size());
        for (int64_t i = 0; i < std::abs(size); ++i) parent_.push_back(parent_.size());
      }
    }
    for (const nestling::Node& node : graph.nodes) look_at(node);
  }

  size_t find(size_t value, size_t axis, size_t index) {
    size_t at = first_[value][axis] + index;
    while (parent_[at] != at) at = parent_[at];
    return at;
  }

 private:
  using Relation = std::set<std::pair<size_t, size_t>>;  // index of one axis, index of the other

  void join(nestling::ValueId a, size_t axis, size_t i, nestling::ValueId b, size_t other,
            size_t j) {
    const size_t x = find(static_cast<size_t>(a), axis, i);
    parent_[x] = find(static_cast<size_t>(b), other, j);
  }

  // The axes that may be channels: the second of an activation, the first two of a constant.
  std::vector<size_t> axes(nestling::ValueId id) const {
    const nestling::Value& value = graph_.value(id);
    if (!value.constant) return {1};
    return value.shape.size() > 1 ? std::vector<size_t>{0, 1} : std::vector<size_t>{0};
  }

  // Of either sign, and never so small that a change is lost in rounding.
  float number() {
    const auto normal = static_cast<float>(random_.normal());
    return normal < 0 ? normal - 0.5F : normal + 0.5F;
  }

  // New numbers, or zeros, for index i of an axis.
  void change(Tensor& tensor, size_t axis, size_t i, bool zero) {
    size_t after = 1;
    for (size_t a = axis + 1; a < tensor.shape.size(); ++a) {
      after *= static_cast<size_t>(tensor.shape[a]);
    }
    for (size_t at = 0; at < tensor.data.size(); ++at) {
      if (at / after % static_cast<size_t>(tensor.shape[axis]) == i) {
        // Of the other sign, so that neither rounding nor a relu hides the change.
        const float other = std::abs(number());
        tensor.data[at] = zero ? 0 : tensor.data[at] < 0 ? other : -other;
      }
    }
  }

  std::set<size_t> changed_channels(const Tensor& a, const Tensor& b) const {
    std::set<size_t> channels;
    size_t after = 1;
    for (size_t axis = 2; axis < a.shape.size(); ++axis) {
      after *= static_cast<size_t>(a.shape[axis]);
    }
    for (size_t at = 0; at < a.data.size(); ++at) {
      if (a.data[at] != b.data[at]) channels.insert(at / after % static_cast<size_t>(a.shape[1]));
    }
    return channels;
  }

  void look_at(const nestling::Node& node) {
    nestling::Shape shape = graph_.value(node.output).shape;
    shape[0] = 1;
    std::vector<Tensor> in;
    const auto run = [&] {
      std::vector<const Tensor*> inputs;
      for (const Tensor& tensor : in) inputs.push_back(&tensor);
      return nestling::interpret(node.op, inputs, shape);
    };
    const auto size = [&](size_t k, size_t axis) {
      return axis == 0 && in[k].shape.size() > 1 && !graph_.value(node.inputs[k]).constant
                 ? size_t{1}
                 : static_cast<size_t>(in[k].shape[axis]);
    };
    // (input, axis) to the output's channels: which of them change.
    std::map<std::pair<size_t, size_t>, Relation> influence;
    // (input, axis) to (input, axis): which do not matter where the other is zero.
    std::map<std::array<size_t, 4>, Relation> matters;
    // Of a few numbers a change may not show, behind a relu for one.
    const bool sums = std::holds_alternative<nestling::Conv>(node.op) ||
                      std::holds_alternative<nestling::ConvTranspose>(node.op) ||
                      std::holds_alternative<nestling::Gemm>(node.op);
    for (int round = 0; round < (sums ? 1 : 16); ++round) {
      in.clear();
      for (const nestling::ValueId id : node.inputs) {
        nestling::Shape of = graph_.value(id).shape;
        if (!graph_.value(id).constant) of[0] = 1;
        in.push_back(test::random_tensor(of, random_));
        for (float& v : in.back().data) v = number();
        if (std::holds_alternative<nestling::BatchNorm>(node.op) && in.size() == 5) {
          for (float& v : in.back().data) v = 1 + std::abs(v);
        }
      }
      const Tensor before = run();
      for (size_t k = 0; k < in.size(); ++k) {
        for (const size_t axis : axes(node.inputs[k])) {
          for (size_t i = 0; i < size(k, axis); ++i) {
            const Tensor kept = in[k];
            change(in[k], axis, i, false);
            for (const size_t j : changed_channels(before, run())) {
              influence[{k, axis}].emplace(i, j);
            }
            in[k] = kept;
            if (graph_.value(node.inputs[k]).constant) continue;
            change(in[k], axis, i, true);
            const Tensor without = run();
            for (size_t other = k + 1; other < in.size(); ++other) {
              for (const size_t along : axes(node.inputs[other])) {
                for (size_t j = 0; j < size(other, along); ++j) {
                  const Tensor old = in[other];
                  change(in[other], along, j, false);
                  if (!changed_channels(without, run()).empty()) {
                    matters[{k, axis, other, along}].emplace(i, j);
                  }
                  in[other] = old;
                }
              }
            }
            in[k] = kept;
          }
        }
      }
    }
    for (const auto& [from, relation] : influence) {
      const auto [k, axis] = from;
      const size_t rows = size(k, axis), columns = static_cast<size_t>(shape[1]);
      std::vector<size_t> in_row(rows), in_column(columns);
      for (const auto& [i, j] : relation) {
        ++in_row[i];
        ++in_column[j];
      }
      const auto at_most_one = [](const std::vector<size_t>& counts) {
        return *std::max_element(counts.begin(), counts.end()) <= 1;
      };
      const bool one_for_all = (rows == 1) != (columns == 1) && relation.size() == rows * columns;
      if (one_for_all || (!at_most_one(in_row) && !at_most_one(in_column))) continue;
      for (const auto& [i, j] : relation) join(node.inputs[k], axis, i, node.output, 1, j);
    }
    for (size_t k = 0; k < in.size(); ++k) {
      if (graph_.value(node.inputs[k]).constant) continue;
      for (size_t other = k + 1; other < in.size(); ++other) {
        for (const size_t along : axes(node.inputs[other])) {
          const Relation& relation = matters[{k, 1, other, along}];
          if ((size(k, 1) == 1) != (size(other, along) == 1)) continue;  // one for all
          for (size_t i = 0; i < size(k, 1); ++i) {
            for (size_t j = 0; j < size(other, along); ++j) {
              if (!relation.contains({i, j}))
                join(node.inputs[k], 1, i, node.inputs[other], along, j);
            }
          }
        }
      }
    }
    even_groups(node);
  }

  // What no output tells: groups of a convolution or a shuffle must stay of equal size, those of a
  // norm of the size that they have, and which of all channels that a norm mixes is which.
  void even_groups(const nestling::Node& node) {
    const auto fold = [&](nestling::ValueId id, size_t each) {
      for (size_t c = 0; c < static_cast<size_t>(graph_.value(id).shape[1]); ++c) {
        join(id, 1, c, id, 1, c % each);
      }
    };
    const auto channels = [&](nestling::ValueId id) {
      return static_cast<size_t>(graph_.value(id).shape[1]);
    };
    if (const auto* shuffle = std::get_if<nestling::Shuffle>(&node.op)) {
      fold(node.inputs[0], channels(node.inputs[0]) / static_cast<size_t>(shuffle->groups));
    }
    if (const auto* norm = std::get_if<nestling::GroupNorm>(&node.op)) {
      const auto size = static_cast<size_t>(norm->size);
      for (size_t c = 0; c < channels(node.output); ++c) {
        join(node.output, 1, c, node.inputs[0], 1, c / size * size);
        join(node.inputs[0], 1, c, node.inputs[0], 1, c / size * size);
      }
    }
    if (std::holds_alternative<nestling::ChannelNorm>(node.op)) {
      for (size_t c = 0; c < channels(node.output); ++c) {
        join(node.output, 1, c, node.inputs[0], 1, c);
      }
    }
    if (!std::holds_alternative<nestling::Conv>(node.op)) return;
    const size_t each = channels(node.inputs[1]), groups = channels(node.inputs[0]) / each;
    if (groups == 1 || each == 1) return;
    fold(node.inputs[0], each);
    fold(node.output, channels(node.output) / groups);
    for (size_t c = 0; c < each; ++c) join(node.inputs[0], 1, c, node.inputs[1], 1, c);
  }

  const Graph& graph_;
  nestling::Random random_;
  std::map<size_t, std::vector<size_t>> first_;  // element of an axis's first index, by value
  std::vector<size_t> parent_;
};

}  // namespace

TEST_CASE("in random networks, the groups are what brute force finds", "[random]") {
  test::for_random_networks(25, 4, [](const Graph& graph, uint64_t seed) {
    BruteForce brute(graph, seed);
    const auto found = nestling::find_groups(graph);
    std::map<std::pair<int32_t, int64_t>, size_t> of_label;
    std::map<size_t, std::pair<int32_t, int64_t>> of_set;
    size_t compared = 0;
    for (size_t v = 0; v < graph.values.size(); ++v) {
      for (size_t axis = 0; axis < found.labels[v].size(); ++axis) {
        for (size_t i = 0; i < found.labels[v][axis].size(); ++i) {
          const auto& label = found.labels[v][axis][i];
          if (label.group < 0) continue;
          const std::pair key(label.group, label.channel);
          const size_t set = brute.find(v, axis, i);
          INFO(graph.values[v].name << " axis " << axis << " index " << i << ", group "
                                    << found.groups[static_cast<size_t>(label.group)].name);
          REQUIRE(of_label.try_emplace(key, set).first->second == set);
          REQUIRE(of_set.try_emplace(set, key).first->second == key);
          ++compared;
        }
      }
    }
    CHECK(compared > 30);
  });
}
