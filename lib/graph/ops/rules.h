// What the rules of an operator are given. An operator is a small struct of attributes in a header
// of this folder, with its rules beside it in the source:
//
//   const char* name() const                  how messages and roadmaps call it: its ONNX name
//   Shape shape(const Inputs&) const          the shape of its output
//   void tie(Ties&) const                     which channels of inputs and output are the same one
//   void write(OnnxWriter&) const             itself as an ONNX node
//   static std::vector<OnnxRule> onnx()       the ONNX operators that become it
//   void follow(size_t axis, const std::vector<bool>& stays)  its numbers count places along that
//                                             axis of its first input: some go (if it has such)
//   int64_t macs(const Inputs&, const Shape& output) const    multiply-accumulates (if not 0)
//   size_t parameters() const                 how many of its inputs train (if not all constants)
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "graph/tensor.h"

namespace nestling {

struct Graph;
struct Node;
class OnnxNode;    // onnx_node.h
class OnnxWriter;  // onnx_writer.h
class Ties;        // ties.h

// An ONNX operator and the function that appends it, or what it means, to the graph that is being
// imported.
struct OnnxRule {
  const char* name;
  void (*read)(OnnxNode& node);
};

// The inputs of one node, for shape inference. Every check throws Error naming the node.
class Inputs {
 public:
  Inputs(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  size_t count() const;
  const Shape& shape(size_t input) const;
  bool is_constant(size_t input) const;

  [[noreturn]] void refuse(const std::string& what) const;
  void expect(size_t least, size_t most) const;
  // The shape of an input that must have `rank` dimensions.
  const Shape& expect_rank(size_t input, size_t rank) const;
  // If there is such an input, it must be a constant of that shape.
  void expect_constant(size_t input, const Shape& wanted) const;
  // An axis from -rank to rank - 1 as one from 0 on.
  size_t axis(int64_t axis, size_t rank) const;
  // Refuses an operation along the axis of a symbolic batch.
  void not_the_batch(const Shape& shape, size_t axis) const;
  // How many places a window of `kernel` has on `size` elements.
  int64_t window(int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int64_t before,
                 int64_t after, bool ceil = false) const;

 private:
  const Graph& graph_;
  const Node& node_;
};

// Numpy's broadcast of two shapes, or refuses. A symbolic batch fits itself and 1.
Shape broadcast(const Inputs& in, const Shape& a, const Shape& b);

}  // namespace nestling
