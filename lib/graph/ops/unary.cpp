#include "graph/ops/unary.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {
namespace {

using F = Unary::Function;

struct Spelling {
  const char* name;
  F function;
  // What alpha and beta are when absent, and the ONNX attributes that say otherwise.
  float alpha = 0;
  const char* alpha_name = nullptr;
  float beta = 0;
  const char* beta_name = nullptr;
};

constexpr Spelling kSpellings[] = {
    {"Relu", F::relu},
    {"Clip", F::clip},
    {"LeakyRelu", F::leaky_relu, 0.01F, "alpha"},
    {"Elu", F::elu, 1, "alpha"},
    {"Selu", F::selu, 1.67326319217681884765625F, "alpha", 1.05070102214813232421875F, "gamma"},
    {"Sigmoid", F::sigmoid},
    {"HardSigmoid", F::hard_sigmoid, 0.2F, "alpha", 0.5F, "beta"},
    {"HardSwish", F::hard_swish},
    {"Mish", F::mish},
    {"Gelu", F::gelu},
    {"Tanh", F::tanh},
    {"Softplus", F::softplus},
    {"Softsign", F::softsign},
    {"Erf", F::erf},
    {"Sqrt", F::sqrt},
    {"Exp", F::exp},
    {"Log", F::log},
    {"Abs", F::abs},
    {"Neg", F::neg},
    {"Reciprocal", F::reciprocal},
    {"Floor", F::floor},
    {"Ceil", F::ceil},
};

const Spelling& spelling(F function) {
  return *std::find_if(std::begin(kSpellings), std::end(kSpellings),
                       [&](const Spelling& s) { return s.function == function; });
}

void read(OnnxNode& node) {
  const Spelling& found =
      *std::find_if(std::begin(kSpellings), std::end(kSpellings),
                    [&](const Spelling& s) { return node.op_type() == s.name; });
  Unary op{found.function, found.alpha, found.beta};
  if (found.alpha_name != nullptr) op.alpha = node.real(found.alpha_name, found.alpha);
  if (found.beta_name != nullptr) op.beta = node.real(found.beta_name, found.beta);
  if (op.function == F::gelu && node.text("approximate", "none") != "none") {
    fail("approximates by tanh, which is not supported");
  }
  node.ignore("consumed_inputs");  // of opset 1
  node.append(op, {node.value(0)});
}

// Bounds are attributes before opset 11, and inputs since.
void read_clip(OnnxNode& node) {
  Unary op = clip(node.real("min", std::numeric_limits<float>::lowest()),
                  node.real("max", std::numeric_limits<float>::max()));
  float* const bounds[] = {&op.alpha, &op.beta};
  for (size_t i = 1; i < 3; ++i) {
    if (!node.has_input(i)) continue;
    const std::vector<double> bound = node.numbers(i);
    if (bound.size() != 1 || std::isnan(bound[0])) fail("needs bounds that are single numbers");
    *bounds[i - 1] = static_cast<float>(bound[0]);
  }
  node.append(op, {node.value(0)});
}

float hard_sigmoid(float x, float alpha, float beta) {
  return std::min(std::max(alpha * x + beta, 0.0F), 1.0F);
}
float softplus(float x) { return std::max(x, 0.0F) + std::log1p(std::exp(-std::abs(x))); }

}  // namespace

float Unary::operator()(float x) const {
  switch (function) {
    case F::relu:
      return std::max(x, 0.0F);
    case F::clip:
      return std::min(std::max(x, alpha), beta);
    case F::leaky_relu:
      return x < 0 ? alpha * x : x;
    case F::elu:
      return x < 0 ? alpha * std::expm1(x) : x;
    case F::selu:
      return beta * (x < 0 ? alpha * std::expm1(x) : x);
    case F::sigmoid:
      return 1 / (1 + std::exp(-x));
    case F::hard_sigmoid:
      return hard_sigmoid(x, alpha, beta);
    case F::hard_swish:
      return x * hard_sigmoid(x, 1.0F / 6, 0.5F);
    case F::mish:
      return x * std::tanh(softplus(x));
    case F::gelu:
      return 0.5F * x * (1 + std::erf(x * 0.70710678F));
    case F::tanh:
      return std::tanh(x);
    case F::softplus:
      return softplus(x);
    case F::softsign:
      return x / (1 + std::abs(x));
    case F::erf:
      return std::erf(x);
    case F::sqrt:
      return std::sqrt(x);
    case F::exp:
      return std::exp(x);
    case F::log:
      return std::log(x);
    case F::abs:
      return std::abs(x);
    case F::neg:
      return -x;
    case F::reciprocal:
      return 1 / x;
    case F::floor:
      return std::floor(x);
    case F::ceil:
      return std::ceil(x);
  }
  return x;
}

const char* Unary::name() const { return spelling(function).name; }

Shape Unary::shape(const Inputs& in) const {
  in.expect(1, 1);
  return in.shape(0);
}

void Unary::tie(Ties& ties) const { ties.join_all(); }

// What opset 13 does not have yet is written out.
void Unary::write(OnnxWriter& to) const {
  const Spelling& own = spelling(function);
  switch (function) {
    case F::clip:
      to.input(".min", Tensor{{}, {alpha}});
      to.input(".max", Tensor{{}, {beta}});
      break;
    case F::hard_swish:
      to.op_type("HardSigmoid");
      to.real("alpha", 1.0F / 6);
      to.real("beta", 0.5F);
      to.then("Mul");
      to.original_input();
      break;
    case F::mish:
      to.op_type("Softplus");
      to.then("Tanh");
      to.then("Mul");
      to.original_input();
      break;
    case F::gelu:
      to.op_type("Mul");
      to.input(".root_half", Tensor{{}, {0.70710678F}});
      to.then("Erf");
      to.then("Add");
      to.input(".one", Tensor{{}, {1}});
      to.then("Mul");
      to.original_input();
      to.then("Mul");
      to.input(".half", Tensor{{}, {0.5F}});
      break;
    default:
      if (own.alpha_name != nullptr) to.real(own.alpha_name, alpha);
      if (own.beta_name != nullptr) to.real(own.beta_name, beta);
  }
}

std::vector<OnnxRule> Unary::onnx() {
  std::vector<OnnxRule> rules;
  for (const Spelling& s : kSpellings) {
    rules.push_back({s.name, s.function == F::clip ? read_clip : read});
  }
  return rules;
}

}  // namespace nestling
