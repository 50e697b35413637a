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
void weights_of_four(uint at, out vec4 w[8], out vec4 more[8]) {
#ifdef SHARE
  share(scratch4[at / 4 + gl_SubgroupInvocationID % 8], w);
  share(scratch4[at / 4 + 8 + gl_SubgroupInvocationID % 8], more);
#else
  for (int k = 0; k < 8; ++k) {
    w[k] = scratch4[at / 4 + k];
    more[k] = scratch4[at / 4 + 8 + k];
  }
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
      vec4 w[8], more[8];  // of two channels each
      weights_of_four(at + c * kGroup, w, more);
      for (int p = 0; p < PIXELS; ++p) {
        const vec4 v = scratch4[(from[p] + c) / 4];
        s0[p] += v.x * w[0] + v.y * w[4] + v.z * more[0] + v.w * more[4];
        s1[p] += v.x * w[1] + v.y * w[5] + v.z * more[1] + v.w * more[5];
        s2[p] += v.x * w[2] + v.y * w[6] + v.z * more[2] + v.w * more[6];
        s3[p] += v.x * w[3] + v.y * w[7] + v.z * more[3] + v.w * more[7];
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
