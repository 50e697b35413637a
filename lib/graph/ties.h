// Which channels of a node's inputs and output are the same one: what operators say to groups.h.
#pragma once

#include <functional>

#include "graph/graph.h"

namespace nestling {

class Ties {
 public:
  struct Axis {
    ValueId value;
    size_t axis;
  };
  using Join = std::function<void(Axis a, int64_t i, Axis b, int64_t j, bool same)>;
  using Pin = std::function<void(Axis)>;

  Ties(const Graph& graph, const Node& node, Join join, Pin pin)
      : graph_(graph), node_(node), join_(std::move(join)), pin_(std::move(pin)) {}

  size_t inputs() const { return node_.inputs.size(); }
  const Shape& in_shape(size_t input) const { return graph_.value(node_.inputs[input]).shape; }
  const Shape& out_shape() const { return graph_.value(node_.output).shape; }
  Axis in(size_t input, size_t axis) const { return {node_.inputs[input], axis}; }
  Axis out(size_t axis) const { return {node_.output, axis}; }

  // Element i of one axis and element j of the other are the same channel.
  void join(Axis a, int64_t i, Axis b, int64_t j) const { join_(a, i, b, j, true); }
  // They are not the same, but can only stay or go together.
  void bind(Axis a, int64_t i, Axis b, int64_t j) const { join_(a, i, b, j, false); }
  // All elements of two axes of equal size, one by one.
  void join(Axis a, Axis b) const;
  // The elements of an axis can neither be cut nor reordered.
  void pin(Axis axis) const { pin_(axis); }

  // Every axis of input 0 is the same axis of the output.
  void join_all() const;
  // The channels of input 0 are those of the output; the pixels are pinned, as windows want it.
  void join_channels() const;
  // What is behind the channels of input 0 and of the output is pinned.
  void pin_pixels() const;
  // Nothing can be said: every axis of every input and of the output is pinned.
  void opaque() const;

 private:
  const Graph& graph_;
  const Node& node_;
  Join join_;
  Pin pin_;
};

}  // namespace nestling
