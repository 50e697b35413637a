#version 450
// What looks along whole lines of elements: sums, means and maxima of them, softmax,
// normalisations. One invocation has one line, of two axes; of softmax and LRN of the inner one.
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(constant_id = 4) const uint KIND = 0;
const uint kMean = 0, kMaximum = 1, kSum = 2, kSoftmax = 3, kLogSoftmax = 4,
           kFirstLargest = 5, kLastLargest = 6, kNormalise = 7, kLrn = 8;

const int kAxes = 4;
layout(push_constant) uniform Push {
  uint x, y;   // floats of the arena
  uint count;  // lines
  float low, high;
  uint sizes[kAxes];  // of the axes on which lines lie, the last one the innermost
  int x_strides[kAxes], y_strides[kAxes];
  uint outer, inner;              // elements of a line, along its two axes
  int outer_stride, inner_stride;  // of x, and, where a line becomes a line, of y
  float alpha, beta, bias;         // of LRN, alpha by element; the first is normalise's epsilon
  int before, after;               // elements around one, of LRN
};

float at_x(uint from, uint i, uint j) {
  return arena[from + uint(int(i) * outer_stride + int(j) * inner_stride)];
}

float reduced(uint from) {
  float value = KIND == kMaximum ? uintBitsToFloat(0xff800000u) : 0.0;
  for (uint i = 0; i < outer; ++i) {
    float part = KIND == kMaximum ? value : 0.0;
    for (uint j = 0; j < inner; ++j) {
      part = KIND == kMaximum ? max(part, at_x(from, i, j)) : part + at_x(from, i, j);
    }
    value = KIND == kMaximum ? part : value + part;
  }
  return KIND == kMean ? value / float(outer * inner) : value;
}

float largest(uint from) {
  float highest = arena[from];
  uint best = 0;
  for (uint j = 1; j < inner; ++j) {
    const float v = at_x(from, 0, j);
    if (v > highest || (KIND == kLastLargest && v == highest)) {
      highest = v;
      best = j;
    }
  }
  return float(best);
}

void softmax(uint from, uint to) {
  float highest = arena[from], sum = 0;
  for (uint j = 1; j < inner; ++j) highest = max(highest, at_x(from, 0, j));
  for (uint j = 0; j < inner; ++j) sum += exp(at_x(from, 0, j) - highest);
  for (uint j = 0; j < inner; ++j) {
    const float v = at_x(from, 0, j) - highest;
    arena[to + j * inner_stride] = KIND == kSoftmax ? exp(v) / sum : v - log(sum);
  }
}

void normalise(uint from, uint to) {
  float mean = 0, variance = 0;
  for (uint i = 0; i < outer; ++i) {
    float part = 0;
    for (uint j = 0; j < inner; ++j) part += at_x(from, i, j);
    mean += part;
  }
  mean /= float(outer * inner);
  for (uint i = 0; i < outer; ++i) {
    float part = 0;
    for (uint j = 0; j < inner; ++j) {
      const float off = at_x(from, i, j) - mean;
      part += off * off;
    }
    variance += part;
  }
  const float scale = 1 / sqrt(variance / float(outer * inner) + alpha);
  for (uint i = 0; i < outer; ++i) {
    for (uint j = 0; j < inner; ++j) {
      const float v = (at_x(from, i, j) - mean) * scale;
      arena[to + i * outer_stride + j * inner_stride] = min(max(v, low), high);
    }
  }
}

void lrn(uint from, uint to) {
  for (int j = 0; j < int(inner); ++j) {
    float sum = 0;
    for (int k = max(j - before, 0); k <= min(j + after, int(inner) - 1); ++k) {
      const float v = at_x(from, 0, k);
      sum += v * v;
    }
    const float v = at_x(from, 0, j) / pow(bias + alpha * sum, beta);
    arena[to + j * inner_stride] = min(max(v, low), high);
  }
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
  if (KIND == kSoftmax || KIND == kLogSoftmax) {
    softmax(uint(at), uint(to));
  } else if (KIND == kNormalise) {
    normalise(uint(at), uint(to));
  } else if (KIND == kLrn) {
    lrn(uint(at), uint(to));
  } else {
    const bool place = KIND == kFirstLargest || KIND == kLastLargest;
    arena[to] = place ? largest(uint(at)) : min(max(reduced(uint(at)), low), high);
  }
}
