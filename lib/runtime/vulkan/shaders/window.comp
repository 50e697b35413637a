#version 450
// What goes on in each channel by itself: depthwise convolution, pooling, batch norm. One
// invocation has one channel, or four, of an output pixel.
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "window.glsl"

layout(constant_id = 4) const uint KIND = 0;
const uint kDepthwise = 0, kMaximum = 1, kAverage = 2, kAffine = 3;
layout(constant_id = 5) const bool WHOLE = false;  // four channels, which lie aligned

vec4 load(uint at) { return WHOLE ? arena4[at / 4] : vec4(arena[at]); }

void main() {
  const uint channel = gl_GlobalInvocationID.x * (WHOLE ? 4 : 1);
  const uint pixel = gl_GlobalInvocationID.y;
  if (channel >= channels || pixel >= y_pixels) return;
  const int row = int(pixel) / y_width * stride_y - top;
  const int column = int(pixel) % y_width * stride_x - left;
  vec4 value = vec4(KIND == kMaximum ? uintBitsToFloat(0xff800000u) : 0.0);
  if (KIND == kAffine) {
    value = load(x + pixel * x_stride + channel);
  } else {
    int inside = 0, padded = 0;
    for (int u = 0; u < kernel_height; ++u) {
      const int i = row + u * dilation_y;
      if (i >= x_height + bottom) break;
      for (int v = 0; v < kernel_width; ++v) {
        const int j = column + v * dilation_x;
        if (j >= x_width + right) break;
        ++padded;
        if (i < 0 || i >= x_height || j < 0 || j >= x_width) continue;
        ++inside;
        const vec4 of_x = load(x + uint(i * x_width + j) * x_stride + channel);
        if (KIND == kDepthwise) {
          value += of_x * load(weights + uint(u * kernel_width + v) * weights_row + channel);
        } else {
          value = KIND == kMaximum ? max(value, of_x) : value + of_x;
        }
      }
    }
    if (KIND == kAverage) value /= float(max(count_padding != 0 ? padded : inside, 1));
  }
  if (KIND == kDepthwise || KIND == kAffine) {
    value = value * load(scale + channel) + load(shift + channel);
    if (addend != kNone) value += load(addend + pixel * y_stride + channel);
  }
  value = min(max(value, low), high);
  const uint to = y + pixel * y_stride + channel;
  if (WHOLE) {
    arena4[to / 4] = value;
  } else {
    arena[to] = value.x;
  }
}
