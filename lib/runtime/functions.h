// The functions of elements, as packages number them: a number's meaning never changes.
#pragma once

#include <cstdint>

namespace nestling::runtime {

// Of one element; `a` and `b` are the node's reals.
enum class UnaryFunction : int64_t {
  identity = 0,    // with bounds: Relu, Clip
  leaky_relu = 1,  // a: the slope below 0
  elu = 2,         // a (e^x - 1) below 0
  selu = 3,        // b (a (e^x - 1)) below 0, b x above
  sigmoid = 4,
  hard_sigmoid = 5,  // a x + b in [0, 1]
  hard_swish = 6,
  mish = 7,
  gelu = 8,  // by erf
  tanh = 9,
  softplus = 10,
  softsign = 11,
  erf = 12,
  sqrt = 13,
  exp = 14,
  log = 15,
  abs = 16,
  neg = 17,
  reciprocal = 18,
  floor = 19,
  ceil = 20,
};
inline constexpr int64_t kUnaryFunctions = 21;

// Of an element of each of two inputs.
enum class BinaryFunction : int64_t {
  add = 0,
  sub = 1,
  mul = 2,
  div = 3,
  max = 4,
  min = 5,
  pow = 6,
  prelu = 7,  // x if it is positive, otherwise x y
};
inline constexpr int64_t kBinaryFunctions = 8;

}  // namespace nestling::runtime
