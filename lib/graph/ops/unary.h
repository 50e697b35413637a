#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// A function of single elements.
struct Unary {
  enum class Function {
    relu,
    clip,        // to [alpha, beta]
    leaky_relu,  // alpha: the slope below 0
    elu,         // alpha (e^x - 1) below 0
    selu,        // beta (alpha (e^x - 1)) below 0, beta x above
    sigmoid,
    hard_sigmoid,  // alpha x + beta, clipped to [0, 1]
    hard_swish,    // x hard_sigmoid(x) with 1/6 and 1/2
    mish,          // x tanh(softplus(x))
    gelu,          // x Phi(x), by erf
    tanh,
    softplus,
    softsign,  // x / (1 + |x|)
    erf,
    sqrt,
    exp,
    log,
    abs,
    neg,
    reciprocal,
    floor,
    ceil,
  };

  Function function = Function::relu;
  float alpha = 0;
  float beta = 0;

  // The value at x.
  float operator()(float x) const;

  const char* name() const;
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

inline constexpr Unary kRelu{Unary::Function::relu};
constexpr Unary clip(float low, float high) { return {Unary::Function::clip, low, high}; }

}  // namespace nestling
