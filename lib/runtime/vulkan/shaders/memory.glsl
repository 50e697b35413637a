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
