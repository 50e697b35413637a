#version 450
// One invocation transforms a channel of a tile of the inputs.
#extension GL_GOOGLE_include_directive : require
#include "winograd.glsl"

layout(push_constant) uniform Push {
  uint x, x_stride;  // floats of the arena, of a pixel
  int x_height, x_width, x_channels, top, left;
  uint across, tiles;  // tiles: of a row, in all
  uint to, channels;   // floats of the scratch; of a tile's row there, those behind the last are 0
};

void transform(const float v[kInputs], out float to[kInputs]) {
  to[0] = v[0] + v[4] - 2.5 * v[2];
  to[5] = v[1] + v[5] - 2.5 * v[3];
  const float near = v[4] - 2 * v[2], odd_near = kA * (v[3] - 2 * v[1]);
  to[1] = near + odd_near;
  to[2] = near - odd_near;
  const float far = v[4] - 0.5 * v[2], odd_far = kB * (v[3] - 0.5 * v[1]);
  to[3] = far + odd_far;
  to[4] = far - odd_far;
}

void main() {
  const uint channel = gl_GlobalInvocationID.x, tile = gl_GlobalInvocationID.y;
  if (channel >= channels || tile >= tiles) return;
  const int first_row = int(tile / across * kOutputs) - top;
  const int first_column = int(tile % across * kOutputs) - left;
  float columns[kInputs][kInputs];  // [column of the tile][place]
  for (uint j = 0; j < kInputs; ++j) {
    float v[kInputs];
    for (uint i = 0; i < kInputs; ++i) {
      const int row = first_row + int(i), column = first_column + int(j);
      const bool inside = row >= 0 && row < x_height && column >= 0 && column < x_width &&
                          channel < uint(x_channels);
      const uint from = inside ? uint(row * x_width + column) * x_stride + channel : 0;
      v[i] = arena[x + from];  // always, so that it is no branch
      if (!inside) v[i] = 0;
    }
    transform(v, columns[j]);
  }
  const uint plane = tiles * channels;
  for (uint i = 0; i < kInputs; ++i) {
    float v[kInputs], places[kInputs];
    for (uint j = 0; j < kInputs; ++j) v[j] = columns[j][i];
    transform(v, places);
    for (uint j = 0; j < kInputs; ++j) {
      scratch[to + (i * kInputs + j) * plane + tile * channels + channel] = places[j];
    }
  }
}
