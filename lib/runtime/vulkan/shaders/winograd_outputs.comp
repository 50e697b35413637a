#version 450
// One invocation makes a channel of a tile of the outputs from its sums.
#extension GL_GOOGLE_include_directive : require
#include "winograd.glsl"

layout(push_constant) uniform Push {
  uint item_table, items;              // of the table
  uint across, tiles;                  // tiles: of a row, in all
  uint sums;                           // floats of the scratch
  uint y, addend, scale, shift;        // floats of the arena; addend: kNone
  uint y_stride, y_height, y_width;    // of a pixel
  float low, high;
};

void transform(const float v[kInputs], out float to[kOutputs]) {
  const float near = v[1] + v[2], far = v[3] + v[4];
  const float odd_near = v[1] - v[2], odd_far = v[3] - v[4];
  to[0] = v[0] + near + far;
  to[1] = kA * odd_near + kB * odd_far;
  to[2] = 0.5 * near + 2 * far;
  to[3] = 0.5 * kA * odd_near + 2 * kB * odd_far + v[5];
}

void main() {
  const uint sum = gl_GlobalInvocationID.x, tile = gl_GlobalInvocationID.y;
  if (sum >= items * kGroup || tile >= tiles) return;
  const uvec4 head = table[item_table + sum / kGroup];
  if (sum % kGroup >= head.y) return;
  const uint channel = head.x + sum % kGroup;
  float columns[kInputs][kOutputs];
  for (uint j = 0; j < kInputs; ++j) {
    float v[kInputs];
    for (uint i = 0; i < kInputs; ++i) {
      v[i] = scratch[sums + ((i * kInputs + j) * tiles + tile) * items * kGroup + sum];
    }
    transform(v, columns[j]);
  }
  const uint top = tile / across * kOutputs, left = tile % across * kOutputs;
  const float of_scale = arena[scale + channel], of_shift = arena[shift + channel];
  for (uint i = 0; i < kOutputs; ++i) {
    float v[kInputs], pixels[kOutputs];
    for (uint j = 0; j < kInputs; ++j) v[j] = columns[j][i];
    transform(v, pixels);
    for (uint j = 0; j < kOutputs; ++j) {
      if (top + i < y_height && left + j < y_width) {
        const uint to = ((top + i) * y_width + left + j) * y_stride + channel;
        float value = pixels[j] * of_scale + of_shift;
        if (addend != kNone) value += arena[addend + to];
        arena[y + to] = clamp_to(value, low, high);
      }
    }
  }
}
