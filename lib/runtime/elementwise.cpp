// Loops over elements in vectors, for every instruction set.
#include "runtime/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/elementwise.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <algorithm>
#include <cmath>
#include <hwy/highway.h>

#include "runtime/elementwise.h"

HWY_BEFORE_NAMESPACE();
namespace nestling::runtime {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using All = hn::ScalableTag<float>;
using Vector = hn::Vec<All>;
using F = UnaryFunction;

// y[i] = f(x[i]...); what is left behind the last vector has vectors of its own.
template <typename Function, typename... In>
HWY_INLINE void map(size_t count, float* y, const Function& f, const In*... x) {
  const All d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(f(hn::LoadU(d, x + i)...), d, y + i);
  for (; i < count; ++i) y[i] = hn::GetLane(f(hn::Set(d, x[i])...));
}

// y[i] = f(x[i]), or x[i] f(x[i]), of a longer f, which is there once: what is left behind the last
// vector becomes one.
template <typename Function>
HWY_INLINE void map_long(size_t count, float* y, bool times_x, const Function& f, const float* x) {
  const All d;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN float rest[HWY_MAX_BYTES / sizeof(float)] = {};
  for (size_t i = 0; i < count; i += lanes) {
    const float* from = x + i;
    float* to = y + i;
    if (count - i < lanes) {
      std::copy(from, x + count, rest);
      from = to = rest;
    }
    const Vector v = hn::LoadU(d, from), result = f(v);
    hn::StoreU(times_x ? hn::Mul(v, result) : result, d, to);
  }
  std::copy_n(rest, count % lanes, y + count - count % lanes);
}

// 1 / x, to the last bit but one.
HWY_INLINE Vector reciprocal(Vector x) {
  const All d;
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  // At least 11 bits, which a step of Newton's doubles; a division takes several times as long.
  const Vector y = hn::ApproximateReciprocal(x);
  return hn::Mul(y, hn::NegMulAdd(x, y, hn::Set(d, 2.0F)));
#else
  return hn::Div(hn::Set(d, 1.0F), x);
#endif
}

// e^-x for x from -86 to 86, beyond which it is that of these: 2^n 2^f with the nearest n, of which
// 2^f is a polynomial that is off by at most 4.3e-7 of it (the least that one of its degree can be,
// and 1 at 0).
HWY_INLINE Vector exp_minus(Vector x) {
  const All d;
  const hn::RebindToSigned<All> di;
  const Vector bound = hn::Set(d, 86.0F);  // so that 2^n is a normal number
  const Vector z = hn::Min(hn::Max(x, hn::Neg(bound)), bound);
  // A number so large that what is added to it is rounded to a whole one, which its last bits are.
  const Vector large = hn::Set(d, 12582912.0F);
  const Vector factor = hn::Set(d, -1.44269504F);  // -1 / ln 2
  const Vector n = hn::MulAdd(z, factor, large);
  const Vector f = hn::MulSub(z, factor, hn::Sub(n, large));
  Vector y = hn::Set(d, 1.1125508e-3F);
  const auto times_f_plus = [&](float c) { y = hn::MulAdd(y, f, hn::Set(d, c)); };
  times_f_plus(9.6662825e-3F);
  times_f_plus(5.5574005e-2F);
  times_f_plus(0.24022351F);
  times_f_plus(0.69314283F);
  times_f_plus(1.0F);
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, n));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, y), exponent));
}

// 1 / (1 + e^-x), to a few bits.
HWY_INLINE Vector sigmoid(Vector x) {
  return reciprocal(hn::Add(hn::Set(All(), 1.0F), exp_minus(x)));
}

// 1 - erf(x) for x from 0 on, to 2e-7 (Abramowitz and Stegun, 7.1.26).
HWY_INLINE Vector erf_complement(Vector x) {
  const All d;
  const Vector t = reciprocal(hn::MulAdd(hn::Set(d, 0.3275911F), x, hn::Set(d, 1.0F)));
  Vector y = hn::Set(d, 1.061405429F);
  for (const float c : {-1.453152027F, 1.421413741F, -0.284496736F, 0.254829592F}) {
    y = hn::MulAdd(y, t, hn::Set(d, c));
  }
  return hn::Mul(hn::Mul(y, t), exp_minus(hn::Mul(x, x)));
}

// x / 2 (1 + erf(x / sqrt 2))
HWY_INLINE Vector gelu(Vector x) {
  const All d;
  const Vector size = hn::Abs(x);
  const Vector rest = erf_complement(hn::Mul(size, hn::Set(d, 0.70710678F)));
  return hn::NegMulAdd(hn::Mul(size, hn::Set(d, 0.5F)), rest, hn::Max(x, hn::Zero(d)));
}

// x tanh(ln(1 + e^x)), which is x n / (n + 2) with n = e^x (e^x + 2).
HWY_INLINE Vector mish(Vector x) {
  const All d;
  const Vector two = hn::Set(d, 2.0F);
  const Vector e = exp_minus(hn::Neg(hn::Min(x, hn::Set(d, 20.0F))));  // beyond, it is x
  const Vector n = hn::Mul(e, hn::Add(e, two));
  return hn::Mul(x, hn::Mul(n, reciprocal(hn::Add(n, two))));
}

bool UnaryImpl(UnaryFunction function, float a, float b, bool times_x, const float* x, float* y,
               size_t count) {
  const All d;
  const Vector va = hn::Set(d, a), vb = hn::Set(d, b);
  switch (function) {
    case F::identity:
      map_long(
          count, y, times_x, [](Vector v) { return v; }, x);
      return true;
    case F::leaky_relu:
      map_long(
          count, y, times_x,
          [&](Vector v) { return hn::IfThenElse(hn::Lt(v, hn::Zero(d)), hn::Mul(va, v), v); }, x);
      return true;
    case F::elu:
    case F::selu: {
      const bool scales = function == F::selu;
      const Vector below = scales ? hn::Mul(va, vb) : va, above = scales ? vb : hn::Set(d, 1.0F);
      const auto f = [&](Vector v) {
        const Vector less = hn::Sub(exp_minus(hn::Neg(v)), hn::Set(d, 1.0F));
        return hn::IfThenElse(hn::Lt(v, hn::Zero(d)), hn::Mul(below, less), hn::Mul(above, v));
      };
      map_long(count, y, times_x, f, x);
      return true;
    }
    case F::sigmoid:
      map_long(
          count, y, times_x, [](Vector v) { return sigmoid(v); }, x);
      return true;
    case F::mish:
      map_long(
          count, y, times_x, [](Vector v) { return mish(v); }, x);
      return true;
    case F::gelu:
      map_long(
          count, y, times_x, [](Vector v) { return gelu(v); }, x);
      return true;
    case F::hard_sigmoid:
    case F::hard_swish: {
      const bool swish = function == F::hard_swish;
      const Vector slope = swish ? hn::Set(d, 1.0F / 6) : va,
                   middle = swish ? hn::Set(d, 0.5F) : vb;
      const auto f = [&](Vector v) {
        const Vector part = hn::MulAdd(slope, v, middle);
        const Vector gate = hn::Min(hn::Max(part, hn::Zero(d)), hn::Set(d, 1.0F));
        return swish ? hn::Mul(v, gate) : gate;
      };
      map_long(count, y, times_x, f, x);
      return true;
    }
    case F::tanh: {
      const Vector one = hn::Set(d, 1.0F);
      const auto f = [&](Vector v) {
        const Vector half = sigmoid(hn::Add(v, v));
        return hn::Sub(hn::Add(half, half), one);
      };
      map_long(count, y, times_x, f, x);
      return true;
    }
    default:
      return false;
  }
}

void ClampImpl(float low, float high, float* y, size_t count) {
  const All d;
  const Vector l = hn::Set(d, low), h = hn::Set(d, high);
  map(
      count, y, [&](Vector v) { return hn::Min(hn::Max(v, l), h); }, y);
}

void AddImpl(const float* a, const float* b, float* y, size_t count) {
  map(
      count, y, [](Vector v, Vector w) { return hn::Add(v, w); }, a, b);
}

void MulImpl(const float* a, const float* b, float* y, size_t count) {
  map(
      count, y, [](Vector v, Vector w) { return hn::Mul(v, w); }, a, b);
}

void MaxImpl(const float* a, const float* b, float* y, size_t count) {
  map(
      count, y, [](Vector v, Vector w) { return hn::Max(v, w); }, a, b);
}

void AddSquaresImpl(const float* x, const float* mean, float* y, size_t count) {
  const auto f = [](Vector v, Vector m, Vector sum) {
    const Vector apart = hn::Sub(v, m);
    return hn::MulAdd(apart, apart, sum);
  };
  map(count, y, f, x, mean, y);
}

void StandardiseImpl(const float* x, const float* mean, const float* scale, float* y,
                     size_t count) {
  map(
      count, y, [](Vector v, Vector m, Vector s) { return hn::Mul(hn::Sub(v, m), s); }, x, mean,
      scale);
}

// The sum of f(x[i]).
template <typename Function>
HWY_INLINE float sum_over(const float* x, size_t count, const Function& f) {
  const All d;
  const size_t lanes = hn::Lanes(d), whole = count - count % lanes;
  Vector sums = hn::Zero(d);
  for (size_t i = 0; i < whole; i += lanes) sums = hn::Add(sums, f(hn::LoadU(d, x + i)));
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (size_t i = whole; i < count; ++i) sum += hn::GetLane(f(hn::Set(d, x[i])));
  return sum;
}

void NormaliseImpl(const float* x, float* y, size_t count, float epsilon) {
  const auto n = static_cast<float>(count);
  const Vector mean = hn::Set(All(), sum_over(x, count, [](Vector v) { return v; }) / n);
  const float squares = sum_over(x, count, [&](Vector v) {
    const Vector apart = hn::Sub(v, mean);
    return hn::Mul(apart, apart);
  });
  const Vector scale = hn::Set(All(), 1 / std::sqrt(squares / n + epsilon));
  map(
      count, y, [&](Vector v) { return hn::Mul(hn::Sub(v, mean), scale); }, x);
}

void InterpolateImpl(const float* a, const float* b, const float* c, const float* d, float column,
                     float row, float* y, size_t count) {
  const All all;
  const Vector right = hn::Set(all, column), left = hn::Set(all, 1 - column);
  const Vector below = hn::Set(all, row), above = hn::Set(all, 1 - row);
  const auto f = [&](Vector va, Vector vb, Vector vc, Vector vd) {
    const Vector top = hn::MulAdd(va, left, hn::Mul(vb, right));
    const Vector bottom = hn::MulAdd(vc, left, hn::Mul(vd, right));
    return hn::MulAdd(top, above, hn::Mul(bottom, below));
  };
  const size_t lanes = hn::Lanes(all);
  if (count > lanes) {  // the last vector may overlap the one before: y is none of the others
    const size_t last = count - lanes;
    map(lanes, y + last, f, a + last, b + last, c + last, d + last);
    count -= count % lanes;
  }
  map(count, y, f, a, b, c, d);
}

void SoftmaxImpl(const float* x, float* y, size_t count, bool log) {
  const All d;
  const size_t lanes = hn::Lanes(d), whole = count - count % lanes;
  float highest = x[0];
  for (size_t i = whole; i < count; ++i) highest = std::max(highest, x[i]);
  Vector all = hn::Set(d, highest);
  for (size_t i = 0; i < whole; i += lanes) all = hn::Max(all, hn::LoadU(d, x + i));
  all = hn::MaxOfLanes(d, all);
  highest = hn::GetLane(all);
  Vector sums = hn::Zero(d);
  for (size_t i = 0; i < whole; i += lanes) {
    const Vector e = exp_minus(hn::Sub(all, hn::LoadU(d, x + i)));
    sums = hn::Add(sums, e);
    if (!log) hn::StoreU(e, d, y + i);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (size_t i = whole; i < count; ++i) {
    const float e = hn::GetLane(exp_minus(hn::Set(d, highest - x[i])));
    sum += e;
    if (!log) y[i] = e;
  }
  const Vector log_sum = hn::Set(d, std::log(sum)), part = hn::Set(d, 1 / sum);
  if (log) {
    map(
        count, y, [&](Vector v) { return hn::Sub(hn::Sub(v, all), log_sum); }, x);
  } else {
    map(
        count, y, [&](Vector v) { return hn::Mul(v, part); }, y);
  }
}

template <typename Function>
HWY_INLINE void fold(const float* const* rows, size_t row_count, float* y, size_t count,
                     const Function& f) {
  const All d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    Vector v = hn::LoadU(d, y + i);
    for (size_t r = 0; r < row_count; ++r) v = f(v, hn::LoadU(d, rows[r] + i));
    hn::StoreU(v, d, y + i);
  }
  for (; i < count; ++i) {
    Vector v = hn::Set(d, y[i]);
    for (size_t r = 0; r < row_count; ++r) v = f(v, hn::Set(d, rows[r][i]));
    y[i] = hn::GetLane(v);
  }
}

void InterleaveImpl(const float* x, std::ptrdiff_t apart, size_t rows, float* y, size_t count) {
  const auto row = [&](size_t r) { return x + static_cast<std::ptrdiff_t>(r) * apart; };
  const All d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Vector a = hn::LoadU(d, x + i), b = hn::LoadU(d, row(1) + i);
    if (rows == 2) {
      hn::StoreInterleaved2(a, b, d, y + 2 * i);
    } else {
      hn::StoreInterleaved3(a, b, hn::LoadU(d, row(2) + i), d, y + 3 * i);
    }
  }
  for (; i < count; ++i) {
    for (size_t r = 0; r < rows; ++r) y[i * rows + r] = row(r)[i];
  }
}

void MaximumOfImpl(const float* const* rows, size_t row_count, float* y, size_t count) {
  fold(rows, row_count, y, count, [](Vector v, Vector w) { return hn::Max(v, w); });
}

void SumOfImpl(const float* const* rows, size_t row_count, float* y, size_t count) {
  fold(rows, row_count, y, count, [](Vector v, Vector w) { return hn::Add(v, w); });
}

}  // namespace HWY_NAMESPACE
}  // namespace nestling::runtime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nestling::runtime {

HWY_EXPORT(UnaryImpl);
HWY_EXPORT(ClampImpl);
HWY_EXPORT(AddImpl);
HWY_EXPORT(MulImpl);
HWY_EXPORT(MaxImpl);
HWY_EXPORT(AddSquaresImpl);
HWY_EXPORT(StandardiseImpl);
HWY_EXPORT(NormaliseImpl);
HWY_EXPORT(InterpolateImpl);
HWY_EXPORT(SoftmaxImpl);
HWY_EXPORT(InterleaveImpl);
HWY_EXPORT(MaximumOfImpl);
HWY_EXPORT(SumOfImpl);

bool unary(UnaryFunction function, float a, float b, bool times_x, const float* x, float* y,
           size_t count) {
  return HWY_DYNAMIC_DISPATCH(UnaryImpl)(function, a, b, times_x, x, y, count);
}
void clamp(float low, float high, float* y, size_t count) {
  HWY_DYNAMIC_DISPATCH(ClampImpl)(low, high, y, count);
}
void add(const float* a, const float* b, float* y, size_t count) {
  HWY_DYNAMIC_DISPATCH(AddImpl)(a, b, y, count);
}
void multiply(const float* a, const float* b, float* y, size_t count) {
  HWY_DYNAMIC_DISPATCH(MulImpl)(a, b, y, count);
}
void maximum(const float* a, const float* b, float* y, size_t count) {
  HWY_DYNAMIC_DISPATCH(MaxImpl)(a, b, y, count);
}
void add_squares(const float* x, const float* mean, float* y, size_t count) {
  HWY_DYNAMIC_DISPATCH(AddSquaresImpl)(x, mean, y, count);
}
void standardise(const float* x, const float* mean, const float* scale, float* y, size_t count) {
  HWY_DYNAMIC_DISPATCH(StandardiseImpl)(x, mean, scale, y, count);
}
void normalise(const float* x, float* y, size_t count, float epsilon) {
  HWY_DYNAMIC_DISPATCH(NormaliseImpl)(x, y, count, epsilon);
}
void interpolate(const float* a, const float* b, const float* c, const float* d, float column,
                 float row, float* y, size_t count) {
  HWY_DYNAMIC_DISPATCH(InterpolateImpl)(a, b, c, d, column, row, y, count);
}
void softmax(const float* x, float* y, size_t count, bool log) {
  HWY_DYNAMIC_DISPATCH(SoftmaxImpl)(x, y, count, log);
}

void interleave(const float* x, std::ptrdiff_t apart, size_t rows, float* y, size_t count) {
  HWY_DYNAMIC_DISPATCH(InterleaveImpl)(x, apart, rows, y, count);
}
void maximum_of(const float* const* rows, size_t row_count, float* y, size_t count) {
  HWY_DYNAMIC_DISPATCH(MaximumOfImpl)(rows, row_count, y, count);
}
void sum_of(const float* const* rows, size_t row_count, float* y, size_t count) {
  HWY_DYNAMIC_DISPATCH(SumOfImpl)(rows, row_count, y, count);
}

}  // namespace nestling::runtime
#endif
