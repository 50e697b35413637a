#version 450
// A function of each element, of the elements of two views in the same place, or a copy. One
// invocation has one element, or four.
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(constant_id = 4) const uint KIND = 0;
const uint kUnary = 0, kBinary = 1, kCopy = 2;
layout(constant_id = 5) const bool WHOLE = false;       // four elements of the last axis lie aligned
layout(constant_id = 6) const uint FUNCTION = 0;        // functions.h
layout(constant_id = 7) const bool BY_INPUT = false;    // the result is multiplied by the input

const int kAxes = 5;
layout(push_constant) uniform Push {
  uint y, a, b;       // where views begin: floats of the arena or of the segment
  uint of_a, of_b;    // the segment; kNone: the arena
  uint count;         // invocations that have something to do
  float alpha, beta;  // of functions
  float low, high;
  // By axis, the last one the innermost; of WHOLE in units of four elements there.
  uint sizes[kAxes];
  int y_strides[kAxes], a_strides[kAxes], b_strides[kAxes];
};

vec4 load(uint segment, uint at) {
  if (WHOLE) return arena4[at / 4];
  return vec4(load_from(segment, at));
}

vec4 softplus(vec4 x) { return max(x, 0) + log(1 + exp(-abs(x))); }

// e^x - 1, also where that is close to x (Higham, Accuracy and Stability of Numerical Algorithms,
// section 1.14.1).
float minus_one(float x) {
  const float e = exp(x);
  if (e == 1) return x;
  return abs(x) > 1 ? e - 1 : (e - 1) * x / log(e);
}
vec4 minus_one(vec4 x) {
  return vec4(minus_one(x.x), minus_one(x.y), minus_one(x.z), minus_one(x.w));
}

// By the rational approximation 7.1.26 of Abramowitz and Stegun, to 1.5e-7.
vec4 erf(vec4 x) {
  const vec4 t = 1 / (1 + 0.3275911 * abs(x));
  const vec4 sum = t * (0.254829592 +
                        t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1 - sum * exp(-x * x));
}

vec4 unary(vec4 x) {
  switch (FUNCTION) {
    case 1: return mix(x, alpha * x, lessThan(x, vec4(0)));
    case 2: return mix(x, alpha * minus_one(min(x, 0)), lessThan(x, vec4(0)));
    case 3: return beta * mix(x, alpha * minus_one(min(x, 0)), lessThan(x, vec4(0)));
    case 4: return 1 / (1 + exp(-x));
    case 5: return clamp(alpha * x + beta, 0, 1);
    case 6: return x * clamp(x / 6 + 0.5, 0, 1);
    case 7: return x * tanh(softplus(x));
    case 8: return 0.5 * x * (1 + erf(x * 0.70710678));
    case 9: return tanh(clamp(x, -20, 20));
    case 10: return softplus(x);
    case 11: return x / (1 + abs(x));
    case 12: return erf(x);
    case 13: return sqrt(x);
    case 14: return exp(x);
    case 15: return log(x);
    case 16: return abs(x);
    case 17: return -x;
    case 18: return 1 / x;
    case 19: return floor(x);
    case 20: return ceil(x);
  }
  return x;
}

// Of GLSL's pow the base must not be negative.
float power(float a, float b) {
  if (a >= 0) return a == 0 && b == 0 ? 1 : pow(a, b);
  const float p = pow(-a, b);
  if (floor(b) != b) return uintBitsToFloat(0x7fc00000u);
  return mod(b, 2) == 0 ? p : -p;
}

vec4 binary(vec4 a, vec4 b) {
  switch (FUNCTION) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return a / b;
    case 4: return max(a, b);
    case 5: return min(a, b);
    case 6: return vec4(power(a.x, b.x), power(a.y, b.y), power(a.z, b.z), power(a.w, b.w));
    case 7: return mix(a, a * b, lessThan(a, vec4(0)));
  }
  return a;
}

void main() {
  uint index = gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x *
                                             gl_WorkGroupSize.x;
  if (index >= count) return;
  int at_y = int(y), at_a = int(a), at_b = int(b);
  for (int axis = kAxes - 1; axis >= 0; --axis) {
    const int place = int(index % sizes[axis]);
    index /= sizes[axis];
    at_y += place * y_strides[axis];
    at_a += place * a_strides[axis];
    if (KIND == kBinary) at_b += place * b_strides[axis];
  }
  const vec4 x = load(of_a, uint(at_a));
  vec4 value = x;
  if (KIND == kUnary) value = BY_INPUT ? x * unary(x) : unary(x);
  if (KIND == kBinary) value = binary(x, load(of_b, uint(at_b)));
  // Bounds that bound nothing leave what is not a number as it is.
  if (KIND != kCopy && !(isinf(low) && isinf(high))) value = min(max(value, low), high);
  if (WHOLE) {
    arena4[at_y / 4] = value;
  } else {
    arena[at_y] = value.x;
  }
}
