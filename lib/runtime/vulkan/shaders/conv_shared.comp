#version 450
// conv.comp for devices whose subgroups are one row of a workgroup of 8, so that all of one have the
// same panels: each invocation loads a part of the weights and gets the rest from the others.
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require
#define SHARE
#include "conv.glsl"
