#version 450
// A depthwise convolution without dilation. One invocation has four channels, which lie aligned, of
// PIXELS output pixels of a row; pixels of the input that several of them meet are loaded once.
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "window.glsl"

layout(constant_id = 4) const int PIXELS = 4;
layout(constant_id = 5) const int KERNEL_WIDTH = 3;
layout(constant_id = 6) const int STRIDE = 1;  // of columns

const int kMet = (PIXELS - 1) * STRIDE + KERNEL_WIDTH;  // pixels of a row of x

void main() {
  const uint channel = gl_GlobalInvocationID.x * 4;
  const int across = (y_width + PIXELS - 1) / PIXELS;  // invocations of a row
  const int row = int(gl_GlobalInvocationID.y) / across;
  const int column = int(gl_GlobalInvocationID.y) % across * PIXELS;
  const uint first_pixel = uint(row * y_width + column);
  if (channel >= channels || first_pixel >= y_pixels) return;
  vec4 sums[PIXELS];
  for (int p = 0; p < PIXELS; ++p) sums[p] = vec4(0);
  for (int u = 0; u < kernel_height; ++u) {
    const int i = row * stride_y - top + u;
    if (i < 0 || i >= x_height) continue;
    vec4 met[kMet];
    for (int k = 0; k < kMet; ++k) {
      const int j = column * STRIDE - left + k;
      met[k] = vec4(0);
      if (j >= 0 && j < x_width) met[k] = arena4[(x + uint(i * x_width + j) * x_stride + channel) / 4];
    }
    for (int v = 0; v < KERNEL_WIDTH; ++v) {
      const vec4 w = arena4[(weights + uint(u * KERNEL_WIDTH + v) * weights_row + channel) / 4];
      for (int p = 0; p < PIXELS; ++p) sums[p] += met[p * STRIDE + v] * w;
    }
  }
  const vec4 scales = arena4[(scale + channel) / 4], shifts = arena4[(shift + channel) / 4];
  for (int p = 0; p < PIXELS; ++p) {
    if (column + p < y_width) {
      const uint to = (first_pixel + p) * y_stride + channel;
      vec4 value = sums[p] * scales + shifts;
      if (addend != kNone) value += arena4[(addend + to) / 4];
      arena4[(y + to) / 4] = min(max(value, low), high);
    }
  }
}
