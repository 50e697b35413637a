#version 450
// What looks along whole lines of elements: sums, means and maxima of them, softmax. One invocation
// has one line, of two axes.
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(constant_id = 4) const uint KIND = 0;
const uint kMean = 0, kMaximum = 1, kSum = 2, kSoftmax = 3, kLogSoftmax = 4;

const int kAxes = 4;
layout(push_constant) uniform Push {
  uint x, y;   // floats of the arena
  uint count;  // lines
  float low, high;
  uint sizes[kAxes];  // of the axes on which lines lie, the last one the innermost
  int x_strides[kAxes], y_strides[kAxes];
  uint outer, inner;              // elements of a line, along its two axes
  int outer_stride, inner_stride;  // of x, and, where a line becomes a line, of y
};

float at_x(uint from, uint i, uint j) {
  return arena[from + uint(int(i) * outer_stride + int(j) * inner_stride)];
}

void main() {
  uint index = gl_GlobalInvocationID.x;
  if (index >= count) return;
  int at = int(x), to = int(y);
  for (int axis = kAxes - 1; axis >= 0; --axis) {
    const int place = int(index % sizes[axis]);
    index /= sizes[axis];
    at += place * x_strides[axis];
    to += place * y_strides[axis];
  }
  const uint from = uint(at);
  if (KIND == kMean || KIND == kSum || KIND == kMaximum) {
    float value = KIND == kMaximum ? uintBitsToFloat(0xff800000u) : 0.0;
    for (uint i = 0; i < outer; ++i) {
      float part = value;
      if (KIND != kMaximum) part = 0;
      for (uint j = 0; j < inner; ++j) {
        part = KIND == kMaximum ? max(part, at_x(from, i, j)) : part + at_x(from, i, j);
      }
      value = KIND == kMaximum ? part : value + part;
    }
    if (KIND == kMean) value /= float(outer * inner);
    arena[to] = min(max(value, low), high);
    return;
  }
  float highest = arena[from], sum = 0;
  for (uint j = 1; j < inner; ++j) highest = max(highest, at_x(from, 0, j));
  for (uint j = 0; j < inner; ++j) sum += exp(at_x(from, 0, j) - highest);
  for (uint j = 0; j < inner; ++j) {
    const float v = at_x(from, 0, j) - highest;
    arena[to + int(j) * inner_stride] = KIND == kSoftmax ? exp(v) / sum : v - log(sum);
  }
}
