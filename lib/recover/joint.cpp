#include "recover/joint.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <span>

#include "base/random.h"
#include "recover/places.h"
#include "train/loss.h"
#include "train/trainee.h"

namespace nestling {
namespace {

// Where the elements of a smaller capacity's constant lie in the largest's: along each axis.
using Places = std::vector<std::vector<int64_t>>;

// Of one step along an axis.
int64_t elements_behind(const std::vector<int64_t>& shape, size_t axis) {
  return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end(),
                         int64_t{1}, std::multiplies<>());
}

// Places of all constants of a capacity, by name: what is left of the largest's coordinates.
std::map<std::string, Places> places_of(const Graph& nested, const Nesting& nesting, int capacity) {
  std::map<std::string, Places> result;
  size_t rank = 1;
  for (const Value& value : nested.values) {
    if (value.constant) rank = std::max(rank, value.shape.size());
  }
  for (size_t axis = 0; axis < rank; ++axis) {
    Graph coordinates = nested;
    for (Value& value : coordinates.values) {
      if (!value.constant || axis >= value.shape.size()) continue;
      Tensor& tensor = *value.constant;
      const int64_t behind = elements_behind(tensor.shape, axis);
      for (size_t i = 0; i < tensor.data.size(); ++i) {
        tensor.data[i] = static_cast<float>(static_cast<int64_t>(i) / behind % tensor.shape[axis]);
      }
    }
    const Graph smaller = descend(coordinates, nesting, capacity);
    for (const Value& value : smaller.values) {
      if (!value.constant) continue;
      const Tensor& tensor = *value.constant;
      Places& places = result[value.name];
      places.resize(tensor.shape.size());
      if (axis >= tensor.shape.size()) continue;
      const int64_t behind = elements_behind(tensor.shape, axis);
      for (int64_t n = 0; n < tensor.shape[axis]; ++n) {
        places[axis].push_back(static_cast<int64_t>(tensor.data[static_cast<size_t>(n * behind)]));
      }
    }
  }
  return result;
}

// The part of a tensor that lies at `places`; a view where they are a beginning of each axis.
at::Tensor part_of(at::Tensor tensor, const Places& places) {
  for (size_t a = 0; a < places.size(); ++a) {
    const auto axis = static_cast<int64_t>(a);
    const auto count = static_cast<int64_t>(places[a].size());
    if (count > 0 && places[a].back() == count - 1) {
      if (count < tensor.size(axis)) tensor = tensor.narrow(axis, 0, count);
    } else {
      tensor = tensor.index_select(
          axis, at::from_blob(const_cast<int64_t*>(places[a].data()), {count}, at::kLong)
                    .to(tensor.device()));
    }
  }
  return tensor;
}

// What may change of the largest capacity. In causal growth filters do not see the channels that
// larger capacities than theirs add: the weights by which they would are zero and stay so. `places`
// are those of the smaller capacities.
TrainableMasks masks_of(const Nesting& nesting, const Graph& largest,
                        const std::vector<std::map<std::string, Places>>& places) {
  TrainableMasks masks;
  if (nesting.growth != Growth::causal) return masks;
  const std::set<std::string> own(nesting.own.begin(), nesting.own.end());
  // From the largest on, as what a capacity sees of itself, smaller ones may not all see.
  for (auto smaller = places.rbegin(); smaller != places.rend(); ++smaller) {
    for (const auto& [name, seen] : *smaller) {
      if (own.contains(name) || seen.size() < 2) continue;
      const ValueId id = find_value(largest, name);
      const Shape& shape = largest.value(id).shape;
      Places rows = seen;  // all that the capacity's filters have
      for (size_t axis = 1; axis < shape.size(); ++axis) {
        rows[axis].resize(static_cast<size_t>(shape[axis]));
        std::iota(rows[axis].begin(), rows[axis].end(), 0);
      }
      const Tensor all{shape, std::vector<float>(static_cast<size_t>(element_count(shape)), 1.0F)};
      std::vector<float>& mask = masks.try_emplace(id, all).first->second.data;
      for (const size_t at : elements_at(rows, shape)) mask[at] = 0;
      for (const size_t at : elements_at(seen, shape)) mask[at] = 1;
    }
  }
  return masks;
}

class Joint : public Trainee {
 public:
  Joint(const Graph& nested, const Dataset& data, const TrainOptions& options)
      : nesting_(nesting_of(nested, nested.name)),
        labelled_(!data.classes.empty()),
        seed_(options.seed) {
    const Nesting& nesting = nesting_;
    const std::set<std::string> own(nesting.own.begin(), nesting.own.end());
    const Graph largest = descend(nested, nesting, nesting.capacities());
    std::vector<std::map<std::string, Places>> places;
    for (int k = 1; k < nesting.capacities(); ++k) {
      const Graph graph = descend(nested, nesting, k);
      places.push_back(places_of(nested, nesting, k));
      Capacity& capacity =
          capacities_.emplace_back(Capacity{Network(graph), Loss(graph, data, options), {}});
      const std::vector<Network::Parameter> all = capacity.network.parameters();
      for (const Network::Parameter& p : all) {
        const std::string& name = graph.value(p.id).name;
        if (own.contains(name)) continue;
        capacity.shared.push_back({p.id, find_value(largest, name), places.back().at(name)});
      }
    }
    capacities_.push_back(
        {Network(largest, masks_of(nesting, largest, places)), Loss(largest, data, options), {}});
    share();
  }

  std::vector<Network::Parameter> parameters() override {
    std::vector<Network::Parameter> all;
    for (auto at = capacities_.rbegin(); at != capacities_.rend(); ++at) {
      const auto& own = at->network.parameters();
      all.insert(all.end(), own.begin(), own.end());
    }
    return all;
  }

  double learn(const Batch& batch, int64_t step) override {
    share();
    const size_t largest = capacities_.size() - 1;
    Capacity& whole = capacities_[largest];
    double sum = 0;
    at::Tensor logits;
    if (labelled_) {
      const at::Tensor vanilla = whole.loss.teacher(batch);
      // From the vanilla model the largest would learn no more than that knows.
      const auto result = whole.loss.of(whole.network, batch, {});
      result.loss.backward();
      sum += result.loss.item<double>();
      logits = result.logits.detach();
      if (vanilla.defined()) logits = (logits + vanilla) / 2;
    }
    const std::vector<size_t> drawn = draw(step);
    for (const size_t k : drawn) {
      Capacity& one = capacities_[k];
      if (labelled_ && k == largest) continue;
      const at::Tensor loss = labelled_ ? one.loss.of(one.network, batch, logits).loss
                                        : one.loss.of(one.network, batch);
      loss.backward();
      sum += loss.item<double>();
    }
    return sum / static_cast<double>(drawn.size());
  }

  Graph graph() const override {
    std::vector<Graph> graphs;
    for (const Capacity& one : capacities_) graphs.push_back(one.network.graph());
    return nest(graphs, nesting_);
  }

 private:
  struct Shared {
    ValueId id;       // of this capacity's constant
    ValueId largest;  // of the largest's
    Places places;
  };
  struct Capacity {
    Network network;
    Loss loss;
    std::vector<Shared> shared;
  };

  // The smaller capacities take their weights from the largest, anew before each step: what a step
  // has differentiated is gone.
  void share() {
    const Network& largest = capacities_.back().network;
    for (Capacity& one : capacities_) {
      for (const Shared& s : one.shared) {
        one.network.share(s.id, part_of(largest.constant(s.largest), s.places));
      }
    }
  }

  // The largest, the smallest, and two of the others.
  std::vector<size_t> draw(int64_t step) const {
    std::vector<size_t> all(capacities_.size());
    std::iota(all.begin(), all.end(), size_t{0});
    if (all.size() <= 4) return all;
    std::vector<size_t> others(all.begin() + 1, all.end() - 1);
    Random(sub_seed(seed_, {static_cast<uint64_t>(step), 2})).shuffle(others);
    return {all.front(), others[0], others[1], all.back()};
  }

  const Nesting nesting_;
  const bool labelled_;
  const uint64_t seed_;
  std::vector<Capacity> capacities_;  // the smallest first
};

constexpr TraineeKind kJoint{"joint",
                             [](const Graph& nested, const Dataset& data,
                                const TrainOptions& options) -> std::unique_ptr<Trainee> {
                               return std::make_unique<Joint>(nested, data, options);
                             }};

}  // namespace

Graph join(const std::vector<Graph>& capacities, const Nesting& nesting) {
  std::vector<Graph> joined = capacities;
  const Graph nested = nest(capacities, nesting);
  const std::set<std::string> own(nesting.own.begin(), nesting.own.end());
  Graph& largest = joined.back();
  for (int k = nesting.capacities() - 1; k >= 1; --k) {
    const auto places = places_of(nested, nesting, k);
    for (const Value& value : capacities[static_cast<size_t>(k - 1)].values) {
      if (!value.constant || own.contains(value.name)) continue;
      const ValueId id = find_value(largest, value.name);
      if (id < 0) continue;
      Tensor& to = *largest.values[static_cast<size_t>(id)].constant;
      const std::vector<size_t> where = elements_at(places.at(value.name), to.shape);
      for (size_t i = 0; i < where.size(); ++i) to.data[where[i]] = value.constant->data[i];
    }
  }
  return nest(joined, nesting);
}

Graph train_joint(const Graph& nested, const Dataset& data, const TrainOptions& options,
                  Progress& progress) {
  return train_with(kJoint, nested, data, options, progress);
}

void serve_recoveries() { serve_trainings(std::span(&kJoint, 1)); }

}  // namespace nestling
