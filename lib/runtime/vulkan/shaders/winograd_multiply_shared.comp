#version 450
// winograd_multiply.comp where subgroups are rows: see conv_shared.comp.
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require
#define SHARE
#include "winograd_multiply.glsl"
