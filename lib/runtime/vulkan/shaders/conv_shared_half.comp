#version 450
// conv_shared.comp for devices that compute in float16.
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require
#define SHARE
#define HALF_MATH
#include "conv.glsl"
