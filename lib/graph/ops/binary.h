#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// A function of the elements of two inputs, which are broadcast to a common shape as numpy does.
struct Binary {
  enum class Function {
    add,
    sub,
    mul,
    div,
    max,
    min,
    pow,
    prelu,  // a if a is positive, otherwise a b
  };

  Function function = Function::add;

  float operator()(float a, float b) const;

  const char* name() const;
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

inline constexpr Binary kAdd{Binary::Function::add};
inline constexpr Binary kMul{Binary::Function::mul};

}  // namespace nestling
