// A convolution or fully connected layer with dense weights (Step with bundles). One invocation has
// up to two panels of 8 output channels of PIXELS output pixels that follow each other.
#include "memory.glsl"

layout(constant_id = 4) const int PIXELS = 4;
layout(constant_id = 5) const bool WHOLE = false;      // four input channels lie aligned
layout(constant_id = 6) const bool POINTWISE = false;  // output pixels are those of the input
layout(constant_id = 7) const bool HALF = false;       // weights are float16
layout(constant_id = 8) const bool WHOLE_Y = false;    // as WHOLE, of the output's channels

layout(push_constant) uniform Push {
  uint x, y, addend, scale, shift;  // floats of the arena; addend: kNone
  uint x_stride, y_stride;          // of pixels
  int x_height, x_width, y_width;
  uint y_pixels, items;
  uint item_table, block_table;  // of the table
  int kernel_height, kernel_width, stride_y, stride_x, dilation_y, dilation_x, top, left;
  float low, high;
};

#ifdef HALF_MATH  // products and sums of four are float16, sums of more are not
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define factors f16vec4
#else
#define factors vec4
#endif

const int kUnits = HALF ? 1 : 2;  // of 16 bytes, that 8 weights have

void unpack(uvec4 halves, out vec4 first, out vec4 second) {
  first = vec4(unpackHalf2x16(halves.x), unpackHalf2x16(halves.y));
  second = vec4(unpackHalf2x16(halves.z), unpackHalf2x16(halves.w));
}

// Eight weights that begin at a unit of 16 bytes.
void weights(uint segment, uint at, out vec4 first, out vec4 second) {
  if (HALF) {
    unpack(segments[segment].data[at], first, second);
  } else {
    first = uintBitsToFloat(segments[segment].data[at]);
    second = uintBitsToFloat(segments[segment].data[at + 1]);
  }
}

// Four times eight weights.
void floats_of_four(uint segment, uint at, out vec4 w[8]) {
#ifdef SHARE
  if (HALF) {
    const uvec4 mine = segments[segment].data[at + gl_SubgroupInvocationID % 4];
    unpack(subgroupBroadcast(mine, 0), w[0], w[1]);
    unpack(subgroupBroadcast(mine, 1), w[2], w[3]);
    unpack(subgroupBroadcast(mine, 2), w[4], w[5]);
    unpack(subgroupBroadcast(mine, 3), w[6], w[7]);
  } else {
    share(uintBitsToFloat(segments[segment].data[at + gl_SubgroupInvocationID % 8]), w);
  }
#else
  for (int k = 0; k < 4; ++k) weights(segment, at + k * kUnits, w[2 * k], w[2 * k + 1]);
#endif
}

void weights_of_four(uint segment, uint at, out factors w[8]) {
#ifdef HALF_MATH
  vec4 floats[8];
  floats_of_four(segment, at, floats);
  for (int k = 0; k < 8; ++k) w[k] = factors(floats[k]);
#else
  floats_of_four(segment, at, w);
#endif
}

vec4 sum_of(factors value, factors a, factors b, factors c, factors d) {
  return vec4(value.x * a + value.y * b + value.z * c + value.w * d);
}

// What becomes of the sums of four channels, of which `count` are there.
void store(vec4 sums[PIXELS], uint channel, int count, uint first_pixel) {
  if (count <= 0) return;
  if (WHOLE_Y) {
    const vec4 scales = arena4[(scale + channel) / 4], shifts = arena4[(shift + channel) / 4];
    for (int p = 0; p < PIXELS; ++p) {
      if (first_pixel + p < y_pixels) {
        const uint to = (first_pixel + p) * y_stride + channel;
        vec4 sum = sums[p] * scales + shifts;
        if (addend != kNone) sum += arena4[(addend + to) / 4];
        arena4[(y + to) / 4] = min(max(sum, low), high);
      }
    }
    return;
  }
  for (int k = 0; k < 4; ++k) {
    if (k < count) {
      const float of_scale = arena[scale + channel + k], of_shift = arena[shift + channel + k];
      for (int p = 0; p < PIXELS; ++p) {
        if (first_pixel + p < y_pixels) {
          const uint to = (first_pixel + p) * y_stride + channel + k;
          float sum = sums[p][k] * of_scale + of_shift;
          if (addend != kNone) sum += arena[addend + to];
          arena[y + to] = min(max(sum, low), high);
        }
      }
    }
  }
}

void main() {
  const uint first_pixel = gl_GlobalInvocationID.x * PIXELS;
  const uint item = gl_GlobalInvocationID.y;
  if (item >= items) return;
#ifndef SHARE  // with which all of a subgroup stay to the end
  if (first_pixel >= y_pixels) return;
#endif

  vec4 s0[PIXELS], s1[PIXELS], s2[PIXELS], s3[PIXELS];  // four channels each
  int row[PIXELS], column[PIXELS];
  for (int p = 0; p < PIXELS; ++p) {
    s0[p] = s1[p] = s2[p] = s3[p] = vec4(0);
    const int pixel = int(min(first_pixel + p, y_pixels - 1));
    row[p] = pixel / y_width * stride_y - top;
    column[p] = pixel % y_width * stride_x - left;
  }

  // {first output channel, how many, first block, how many}
  const uvec4 head = table[item_table + item];
  const bool two = head.y > 8;
  for (uint b = head.z; b < head.z + head.w; ++b) {
    // {segment, where, first input channel, how many}; the second panel's weights come behind.
    const uvec4 block = table[block_table + b];
    const uint second = block.w * kernel_height * kernel_width * kUnits;
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
          for (; c + 4 <= block.w; c += 4, at += 4 * kUnits) {
            factors value[PIXELS];
            for (int p = 0; p < PIXELS; ++p) {
              value[p] = factors(arena4[(from[p] + c) / 4]);
              if (!POINTWISE && !inside[p]) value[p] = factors(0);
            }
            factors w[8];
            weights_of_four(block.x, at, w);
            for (int p = 0; p < PIXELS; ++p) {
              s0[p] += sum_of(value[p], w[0], w[2], w[4], w[6]);
              s1[p] += sum_of(value[p], w[1], w[3], w[5], w[7]);
            }
            if (two) {
              weights_of_four(block.x, at + second, w);
              for (int p = 0; p < PIXELS; ++p) {
                s2[p] += sum_of(value[p], w[0], w[2], w[4], w[6]);
                s3[p] += sum_of(value[p], w[1], w[3], w[5], w[7]);
              }
            }
          }
        }
        for (; c < block.w; ++c, at += kUnits) {
          vec4 w0, w1, w2, w3;
          weights(block.x, at, w0, w1);
          if (two) weights(block.x, at + second, w2, w3);
          for (int p = 0; p < PIXELS; ++p) {
            const float value = inside[p] ? arena[from[p] + c] : 0.0;
            s0[p] += value * w0;
            s1[p] += value * w1;
            if (two) {
              s2[p] += value * w2;
              s3[p] += value * w3;
            }
          }
        }
      }
    }
  }

  store(s0, head.x, int(head.y), first_pixel);
  store(s1, head.x + 4, int(head.y) - 4, first_pixel);
  store(s2, head.x + 8, int(head.y) - 8, first_pixel);
  store(s3, head.x + 12, int(head.y) - 12, first_pixel);
}
