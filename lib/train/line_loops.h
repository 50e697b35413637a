// What columns.cpp does with a line of a matrix, by the widest vectors that the processor has.
// Other arguments are lines of as many numbers, none of which overlap.
#pragma once

#include <cstddef>

namespace nestling {

// off = x - origin; sums += off, squares += off^2.
void add_moments(const float* x, const float* origin, size_t count, float* sums, float* squares);

// sums += dy, products += dy (x - mean).
void add_products(const float* dy, const float* x, const float* mean, size_t count, float* sums,
                  float* products);

// to = a x + b.
void scale_line(const float* x, const float* a, const float* b, size_t count, float* to);

// to = a x + b y + c.
void mix_lines(const float* x, const float* a, const float* y, const float* b, const float* c,
               size_t count, float* to);

}  // namespace nestling
