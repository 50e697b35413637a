#version 450
// A convolution or fully connected layer with dense weights (Step with bundles). One invocation has
// a panel of 8 output channels of PIXELS output pixels that follow each other.
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(constant_id = 4) const int PIXELS = 4;
layout(constant_id = 5) const bool WHOLE = false;      // four input channels lie aligned
layout(constant_id = 6) const bool POINTWISE = false;  // output pixels are those of the input
layout(constant_id = 7) const bool HALF = false;       // weights are float16

layout(push_constant) uniform Push {
  uint x, y, addend, scale, shift;  // floats of the arena; addend: kNone
  uint x_stride, y_stride;          // of pixels
  int x_height, x_width, y_width;
  uint y_pixels, panels;
  uint panel_table, block_table;  // words of the table
  int kernel_height, kernel_width, stride_y, stride_x, dilation_y, dilation_x, top, left;
  float low, high;
};

// Eight weights from `at` on, in units of 16 bytes.
void weights(uint segment, uint at, out vec4 first, out vec4 second) {
  if (HALF) {
    const uvec4 w = segments[segment].data[at];
    first = vec4(unpackHalf2x16(w.x), unpackHalf2x16(w.y));
    second = vec4(unpackHalf2x16(w.z), unpackHalf2x16(w.w));
  } else {
    first = uintBitsToFloat(segments[segment].data[at]);
    second = uintBitsToFloat(segments[segment].data[at + 1]);
  }
}

void main() {
  const uint first_pixel = gl_GlobalInvocationID.x * PIXELS;
  const uint panel = gl_GlobalInvocationID.y;
  if (first_pixel >= y_pixels || panel >= panels) return;

  vec4 low_sums[PIXELS], high_sums[PIXELS];
  int row[PIXELS], column[PIXELS];
  for (int p = 0; p < PIXELS; ++p) {
    low_sums[p] = high_sums[p] = vec4(0);
    const int pixel = int(min(first_pixel + p, y_pixels - 1));
    row[p] = pixel / y_width * stride_y - top;
    column[p] = pixel % y_width * stride_x - left;
  }

  // {first output channel, how many, first block, how many}
  const uvec4 head = table[panel_table + panel];
  for (uint b = head.z; b < head.z + head.w; ++b) {
    // {segment, where, first input channel, how many}
    const uvec4 block = table[block_table + b];
    uint at = block.y;
    for (int u = 0; u < kernel_height; ++u) {
      for (int v = 0; v < kernel_width; ++v) {
        uint from[PIXELS];
        bool inside[PIXELS];
        for (int p = 0; p < PIXELS; ++p) {
          if (POINTWISE) {
            inside[p] = true;
            from[p] = x + min(first_pixel + p, y_pixels - 1) * x_stride + block.z;
          } else {
            const int i = row[p] + u * dilation_y, j = column[p] + v * dilation_x;
            inside[p] = i >= 0 && i < x_height && j >= 0 && j < x_width;
            from[p] = inside[p] ? x + uint(i * x_width + j) * x_stride + block.z : x + block.z;
          }
        }
        uint c = 0;
        if (WHOLE) {
          for (; c + 4 <= block.w; c += 4) {
            vec4 w[8];
            for (int k = 0; k < 4; ++k) {
              weights(block.x, at, w[2 * k], w[2 * k + 1]);
              at += HALF ? 1 : 2;
            }
            for (int p = 0; p < PIXELS; ++p) {
              vec4 value = arena4[(from[p] + c) / 4];
              if (!POINTWISE && !inside[p]) value = vec4(0);
              for (int k = 0; k < 4; ++k) {
                low_sums[p] += value[k] * w[2 * k];
                high_sums[p] += value[k] * w[2 * k + 1];
              }
            }
          }
        }
        for (; c < block.w; ++c) {
          vec4 w0, w1;
          weights(block.x, at, w0, w1);
          at += HALF ? 1 : 2;
          for (int p = 0; p < PIXELS; ++p) {
            const float value = inside[p] ? arena[from[p] + c] : 0.0;
            low_sums[p] += value * w0;
            high_sums[p] += value * w1;
          }
        }
      }
    }
  }

  for (int p = 0; p < PIXELS; ++p) {
    const uint pixel = first_pixel + p;
    if (pixel >= y_pixels) break;
    const uint to = pixel * y_stride + head.x;
    for (int k = 0; k < 8; ++k) {
      if (k >= head.y) break;
      float sum = k < 4 ? low_sums[p][k] : high_sums[p][k - 4];
      sum = sum * arena[scale + head.x + k] + arena[shift + head.x + k];
      if (addend != kNone) sum += arena[addend + to + k];
      arena[y + to + k] = min(max(sum, low), high);
    }
  }
}
