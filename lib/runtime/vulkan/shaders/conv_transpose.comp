#version 450
// A transposed convolution. One invocation has one number: it finds the pixels that reach it.
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(push_constant) uniform Push {
  uint x, y, weights, bias;   // floats of the arena or of the segment; bias: kNone
  uint of_weights, of_bias;   // the segment; kNone: the arena
  int x_height, x_width, y_height, y_width;
  uint channels, filters, groups;  // channels and filters of a group
  uint x_stride, y_stride;
  uint w_channel, w_filter, w_row, w_column;  // strides of the weights
  int kernel_height, kernel_width, stride_y, stride_x, dilation_y, dilation_x, top, left;
  float low, high;
};

void main() {
  const uint channel = gl_GlobalInvocationID.x;
  const int pixel = int(gl_GlobalInvocationID.y);
  if (channel >= filters * groups || pixel >= y_height * y_width) return;
  const uint group = channel / filters, filter_ = channel % filters;
  float sum = bias != kNone ? load_from(of_bias, bias + channel) : 0.0;
  for (int u = 0; u < kernel_height; ++u) {
    const int row = pixel / y_width + top - u * dilation_y;
    if (row < 0 || row % stride_y != 0 || row / stride_y >= x_height) continue;
    for (int v = 0; v < kernel_width; ++v) {
      const int column = pixel % y_width + left - v * dilation_x;
      if (column < 0 || column % stride_x != 0 || column / stride_x >= x_width) continue;
      const uint from = x + uint(row / stride_y * x_width + column / stride_x) * x_stride;
      const uint tap = weights + filter_ * w_filter + u * w_row + v * w_column;
      for (uint c = group * channels; c < (group + 1) * channels; ++c) {
        sum += arena[from + c] * load_from(of_weights, tap + c * w_channel);
      }
    }
  }
  arena[y + uint(pixel) * y_stride + channel] = min(max(sum, low), high);
}
