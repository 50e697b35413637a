// Loops over elements in the widest vectors that the processor has. y may be x, a or b.
#pragma once

#include <cstddef>

#include "runtime/functions.h"

namespace nestling::runtime {

// y = f(x), or x f(x), off by at most 1e-6 and a millionth of it, for x of at least -1e30 (x f(x)
// of others than the sigmoid: from -1e8 to 1e8); false, and nothing done, for a function that has
// no vectors.
bool unary(UnaryFunction function, float a, float b, bool times_x, const float* x, float* y,
           size_t count);

void clamp(float low, float high, float* y, size_t count);
void add(const float* a, const float* b, float* y, size_t count);
void multiply(const float* a, const float* b, float* y, size_t count);
void maximum(const float* a, const float* b, float* y, size_t count);
// y[i] += (x[i] - mean[i])^2
void add_squares(const float* x, const float* mean, float* y, size_t count);
// y[i] = (x[i] - mean[i]) scale[i]
void standardise(const float* x, const float* mean, const float* scale, float* y, size_t count);
// y[i] = (x[i] - the mean) / sqrt(the variance + epsilon), of `count` elements.
void normalise(const float* x, float* y, size_t count, float epsilon);
// y[i] = what lies between a, b and below these c, d: `column` of the way to b and d, `row` to c
// and d; y is none of these.
void interpolate(const float* a, const float* b, const float* c, const float* d, float column,
                 float row, float* y, size_t count);
// y[i] = e^x[i] / their sum, or its logarithm, as exact as unary(). At least one element.
void softmax(const float* x, float* y, size_t count, bool log);

// y[i rows + r] = x[i + r apart], for 2 or 3 rows of `count` elements; y is not x.
void interleave(const float* x, std::ptrdiff_t apart, size_t rows, float* y, size_t count);

// y[i] = the maximum or sum of y[i] and all rows[r][i].
void maximum_of(const float* const* rows, size_t row_count, float* y, size_t count);
void sum_of(const float* const* rows, size_t row_count, float* y, size_t count);

}  // namespace nestling::runtime
