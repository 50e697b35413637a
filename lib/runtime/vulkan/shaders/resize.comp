#version 450
// Images of another size, each pixel of four of the input. One invocation has one number.
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(push_constant) uniform Push {
  uint x, y;                   // floats of the arena
  uint x_width, width, height;  // of y but for the first
  uint channels, x_stride, y_stride;
  uint places;  // of the table: of each row, then of each column, {first, second, weight of it}
  float low, high;
};

void main() {
  const uint channel = gl_GlobalInvocationID.x, pixel = gl_GlobalInvocationID.y;
  if (channel >= channels || pixel >= width * height) return;
  const uvec4 row = table[places + pixel / width];
  const uvec4 column = table[places + height + pixel % width];
  const uint from = x + channel;
  const float a = arena[from + (row.x * x_width + column.x) * x_stride];
  const float b = arena[from + (row.x * x_width + column.y) * x_stride];
  const float c = arena[from + (row.y * x_width + column.x) * x_stride];
  const float d = arena[from + (row.y * x_width + column.y) * x_stride];
  const float across = uintBitsToFloat(column.z), down = uintBitsToFloat(row.z);
  const float value =
      (a * (1 - across) + b * across) * (1 - down) + (c * (1 - across) + d * across) * down;
  arena[y + pixel * y_stride + channel] = min(max(value, low), high);
}
