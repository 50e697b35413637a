#version 450
// One invocation transforms the weights of a channel of the inputs for one of the outputs.
#extension GL_GOOGLE_include_directive : require
#include "winograd.glsl"

layout(constant_id = 4) const bool HALF = false;  // weights are float16

layout(push_constant) uniform Push {
  uint item_table, block_table, items;  // of the table: as for winograd_multiply
  uint to, plane;                       // floats of the scratch; of a place there
};

float weight(uint segment, uint unit, uint at) {
  if (!HALF) return uintBitsToFloat(segments[segment].data[unit + at / 4][at % 4]);
  const vec2 two = unpackHalf2x16(segments[segment].data[unit + at / 8][at / 2 % 4]);
  return two[at % 2];
}

void transform(const float v[3], out float to[kInputs]) {
  const float near = -2.0 / 3 * v[0] - 1.0 / 3 * v[2], odd_near = -2.0 / 3 * kA * v[1];
  const float far = 1.0 / 6 * v[0] + 1.0 / 3 * v[2], odd_far = kB / 6 * v[1];
  to[0] = v[0];
  to[1] = near + odd_near;
  to[2] = near - odd_near;
  to[3] = far + odd_far;
  to[4] = far - odd_far;
  to[5] = v[2];
}

void main() {
  const uint output_channel = gl_GlobalInvocationID.x, item = gl_GlobalInvocationID.z;
  if (output_channel >= kGroup || item >= items) return;
  const uvec4 head = table[item_table + item];
  uint channel = gl_GlobalInvocationID.y;  // of the item's blocks one behind the other
  for (uint b = head.z; b < head.z + head.w; ++b) {
    // {segment, where, first input channel, how many}, {row, rows}: rows are channels in fours.
    const uvec4 block = table[block_table + 2 * b], rows = table[block_table + 2 * b + 1];
    if (channel >= rows.y) {
      channel -= rows.y;
      continue;
    }
    // Panels of 8 output channels: [tap][input channel][8].
    const bool there = channel < block.w && (output_channel < 8 || head.y > 8);
    const uint panel = output_channel < 8 ? 0 : 9 * block.w * 8;
    float columns[3][kInputs];
    for (uint v = 0; v < 3; ++v) {
      float taps[3];
      for (uint u = 0; u < 3; ++u) {
        const uint at = panel + ((u * 3 + v) * block.w + channel) * 8 + output_channel % 8;
        taps[u] = there ? weight(block.x, block.y, at) : 0.0;
      }
      transform(taps, columns[v]);
    }
    for (uint i = 0; i < kInputs; ++i) {
      const float taps[3] = float[3](columns[0][i], columns[1][i], columns[2][i]);
      float places[kInputs];
      transform(taps, places);
      for (uint j = 0; j < kInputs; ++j) {
        scratch[to + (i * kInputs + j) * plane + (rows.x + channel) * kGroup + output_channel] =
            places[j];
      }
    }
    return;
  }
}
