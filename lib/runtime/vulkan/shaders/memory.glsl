// What every shader sees: the arena of the model, the tables of its plan, what a step of several
// dispatches keeps between them, and the segments of the package; the same descriptor set for all
// steps.
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint SEGMENTS = 1;

layout(set = 0, binding = 0) buffer Arena { float arena[]; };
layout(set = 0, binding = 0) buffer Arena4 { vec4 arena4[]; };
layout(set = 0, binding = 1) readonly buffer Table { uvec4 table[]; };
layout(set = 0, binding = 2) buffer Scratch { float scratch[]; };
layout(set = 0, binding = 2) buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = 3) readonly buffer Segment { uvec4 data[]; } segments[SEGMENTS];

const uint kNone = 0xffffffffu;

float clamp_to(float value, float low, float high) { return min(max(value, low), high); }

// A number of a segment, or, of kNone, of the arena.
float load_from(uint segment, uint at) {
  if (segment == kNone) return arena[at];
  return uintBitsToFloat(segments[segment].data[at / 4][at % 4]);
}

#ifdef SHARE
// What the first eight invocations of a subgroup have read, for all of them.
void share(vec4 mine, out vec4 all[8]) {
  all[0] = subgroupBroadcast(mine, 0);
  all[1] = subgroupBroadcast(mine, 1);
  all[2] = subgroupBroadcast(mine, 2);
  all[3] = subgroupBroadcast(mine, 3);
  all[4] = subgroupBroadcast(mine, 4);
  all[5] = subgroupBroadcast(mine, 5);
  all[6] = subgroupBroadcast(mine, 6);
  all[7] = subgroupBroadcast(mine, 7);
}
#endif
