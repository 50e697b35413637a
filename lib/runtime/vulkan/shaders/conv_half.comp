#version 450
// conv.comp for devices that compute in float16.
#extension GL_GOOGLE_include_directive : require
#define HALF_MATH
#include "conv.glsl"
