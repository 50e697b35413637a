// One invocation has the sums of an item's 16 output channels, for one place of PIXELS tiles.
#include "winograd.glsl"

layout(constant_id = 4) const int PIXELS = 4;

layout(push_constant) uniform Push {
  uint item_table, block_table, items, tiles;  // of the table
  uint inputs, input_row;                      // floats of the scratch; of a tile there
  uint weights, weight_plane;                  // of a place
  uint sums;                                   // rows have 16 floats for each item
};

// The weights of a channel of the inputs, and of as many behind as make four.
void weights_of_four(uint at, out vec4 w[16]) {
#ifdef SHARE
  const vec4 first = scratch4[at / 4 + gl_SubgroupInvocationID % 8];
  const vec4 second = scratch4[at / 4 + 8 + gl_SubgroupInvocationID % 8];
  w[0] = subgroupBroadcast(first, 0);
  w[1] = subgroupBroadcast(first, 1);
  w[2] = subgroupBroadcast(first, 2);
  w[3] = subgroupBroadcast(first, 3);
  w[4] = subgroupBroadcast(first, 4);
  w[5] = subgroupBroadcast(first, 5);
  w[6] = subgroupBroadcast(first, 6);
  w[7] = subgroupBroadcast(first, 7);
  w[8] = subgroupBroadcast(second, 0);
  w[9] = subgroupBroadcast(second, 1);
  w[10] = subgroupBroadcast(second, 2);
  w[11] = subgroupBroadcast(second, 3);
  w[12] = subgroupBroadcast(second, 4);
  w[13] = subgroupBroadcast(second, 5);
  w[14] = subgroupBroadcast(second, 6);
  w[15] = subgroupBroadcast(second, 7);
#else
  for (int k = 0; k < 16; ++k) w[k] = scratch4[at / 4 + k];
#endif
}

void main() {
  const uint first_tile = gl_GlobalInvocationID.x * PIXELS;
  const uint item = gl_GlobalInvocationID.y, place = gl_GlobalInvocationID.z;
  if (item >= items) return;
#ifndef SHARE  // with which all of a subgroup stay to the end
  if (first_tile >= tiles) return;
#endif
  vec4 s0[PIXELS], s1[PIXELS], s2[PIXELS], s3[PIXELS];
  for (int p = 0; p < PIXELS; ++p) s0[p] = s1[p] = s2[p] = s3[p] = vec4(0);
  const uvec4 head = table[item_table + item];
  for (uint b = head.z; b < head.z + head.w; ++b) {
    const uvec4 block = table[block_table + 2 * b], rows = table[block_table + 2 * b + 1];
    uint from[PIXELS];
    for (int p = 0; p < PIXELS; ++p) {
      const uint tile = min(first_tile + p, tiles - 1);
      from[p] = inputs + (place * tiles + tile) * input_row + block.z;
    }
    const uint at = weights + place * weight_plane + rows.x * kGroup;
    for (uint c = 0; c < rows.y; c += 4) {
      vec4 w[16];
      weights_of_four(at + c * kGroup, w);
      for (int p = 0; p < PIXELS; ++p) {
        const vec4 v = scratch4[(from[p] + c) / 4];
        s0[p] += v.x * w[0] + v.y * w[4] + v.z * w[8] + v.w * w[12];
        s1[p] += v.x * w[1] + v.y * w[5] + v.z * w[9] + v.w * w[13];
        s2[p] += v.x * w[2] + v.y * w[6] + v.z * w[10] + v.w * w[14];
        s3[p] += v.x * w[3] + v.y * w[7] + v.z * w[11] + v.w * w[15];
      }
    }
  }
  for (int p = 0; p < PIXELS; ++p) {
    if (first_tile + p >= tiles) break;
    const uint to = (sums + ((place * tiles + first_tile + p) * items + item) * kGroup) / 4;
    scratch4[to] = s0[p];
    scratch4[to + 1] = s1[p];
    scratch4[to + 2] = s2[p];
    scratch4[to + 3] = s3[p];
  }
}
