#version 450
// Products of two batches of matrices. One invocation has one number.
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

const int kAxes = 3;
layout(push_constant) uniform Push {
  uint y, a, b;     // floats of the arena or of the segment
  uint of_a, of_b;  // the segment; kNone: the arena
  uint count;
  float low, high;
  uint sizes[kAxes];  // of the batch
  uint y_strides[kAxes], a_strides[kAxes], b_strides[kAxes];
  uint rows, columns, depth;
  uint y_row, y_column, a_row, a_column, b_row, b_column;
};

void main() {
  uint index = gl_GlobalInvocationID.x;
  if (index >= count) return;
  const uint column = index % columns;
  index /= columns;
  const uint row = index % rows;
  index /= rows;
  uint to = y + row * y_row + column * y_column;
  uint from_a = a + row * a_row, from_b = b + column * b_column;
  for (int axis = kAxes - 1; axis >= 0; --axis) {
    const uint place = index % sizes[axis];
    index /= sizes[axis];
    to += place * y_strides[axis];
    from_a += place * a_strides[axis];
    from_b += place * b_strides[axis];
  }
  float sum = 0;
  for (uint k = 0; k < depth; ++k) {
    sum += load_from(of_a, from_a + k * a_column) * load_from(of_b, from_b + k * b_row);
  }
  arena[to] = min(max(sum, low), high);
}
