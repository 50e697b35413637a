// The operators of the runtime: one source each in ops/, which says how a node of it must look and
// runs it. The build makes the table of them from the files there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/kernels.h"
#include "runtime/stages.h"
#include "runtime/tensor.h"
#include "runtime/thread_pool.h"

namespace nestling::runtime {

// How a dense layer is computed: conv.cpp, winograd.h, conv_half.h.
enum class ConvMethod : uint8_t { direct, winograd, half };

// By node of a package; what dense layers do not do says nothing.
using Methods = std::vector<ConvMethod>;

// One stage, ready to run.
struct Step {
  const NodeSpec* node;
  const struct Operator* op;
  std::vector<Tensor> inputs;
  Tensor y;
  float low, high;  // bounds of y
  Then then;
  // Of operators with weights (ConvTask).
  std::vector<Bundle> bundles;
  const float* channel_weights = nullptr;
  size_t channel_row = 0;
  const float *scale = nullptr, *shift = nullptr;
  const float* zeros;
  float* scratch;  // of all threads: Scratch
  ConvMethod method = ConvMethod::direct;
  // The same for some channels each, which run instead: of operators that compute every channel by
  // itself, where there are gaps between channels.
  std::vector<Step> runs;
  // The one depthwise step that computes the input, a part at a time (Stage), if there is one: its
  // inputs are those of this step, and its result lies nowhere.
  std::vector<Step> before;
};

// The blocks of weights that a node has (package_format.h); scales and shifts alone are an affine.
enum class Weights { none, dense, depthwise, scale };

// What an operator's results depend on, and where they may lie.
struct Traits {
  // What a result has of a channel depends on nothing but that channel of the inputs.
  bool by_channel = false;
  // An element of the result depends on nothing but those of the inputs in its place, and may be
  // written over one.
  bool in_place = false;
  // Images that are parts of the channels of others (Tensor) will do, as input and result.
  bool strided = false;
  // Where a result that is nothing but channels of the first input begins there; null, or nothing,
  // if it is more than that. The node has passed the check.
  std::optional<uint32_t> (*first_channel)(const NodeSpec& node, const std::vector<Shape>& in,
                                           const Shape& out) = nullptr;
};

// Who is told of copies from one view to another of the same sizes.
struct Moves {
  void (*move)(void* context, const View& from, const View& to);
  void* context;

  void add(const View& from, const View& to) const { move(context, from, to); }
};

struct Operator {
  const char* name;
  Weights weights;  // with any, it applies the node's bounds itself
  // What is wrong with a node whose values have these shapes, null if nothing: a node that passes
  // runs without further checks. Values have 1 to kMaxElements elements and at most kMaxRank axes;
  // a node has at least one input.
  const char* (*check)(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out);
  void (*run)(const Step& step, const ThreadPool& pool);
  Traits traits = {};
  // What an operator that only moves elements moves, in any order; false, and nothing told, if it
  // has to run.
  bool (*moves)(const Step& step, const Moves& moves) = nullptr;
};

// Whether the bounds of a result are applied behind the operator, to an image without gaps.
inline bool is_clamped_after(const Operator& op, float low, float high) {
  return op.weights == Weights::none && is_bounded(low, high);
}

// Null if there is none of that name.
const Operator* find_operator(const std::string& name);
inline const Operator& operator_of(const PackageHeader& header, const Stage& stage) {
  return *find_operator(header.nodes[stage.node].op);
}

// Of a layer with dense weights.
inline uint32_t layer_groups(const NodeSpec& node) {
  return node.numbers.empty() ? 1 : static_cast<uint32_t>(node.numbers[0]);
}

// Checks that several operators share; each returns null if all is well.
const char* check_window(const NodeSpec& node, const Shape& in, const Shape& out);  // images
const char* check_same(const std::vector<Shape>& in, const Shape& out);  // one input, same shape

// The run() of an operator that moves: false if it has to run otherwise.
bool try_moves(const Step& step, const ThreadPool& pool);
inline void run_moves(const Step& step, const ThreadPool& pool) { try_moves(step, pool); }

}  // namespace nestling::runtime
