// The product of two batches of matrices [..., N, K] and [..., K, M], broadcast as numpy does.
#include <algorithm>

#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec&, const std::vector<Shape>& in, const Shape& out) {
  if (in.size() != 2 || in[0].size() < 2 || in[1].size() < 2 || out.size() < 2) {
    return "a product does not fit";
  }
  const Shape &a = in[0], &b = in[1];
  const size_t rank = std::max(a.size(), b.size());
  if (out.size() != rank || a.back() != b[b.size() - 2] || out[rank - 2] != a[a.size() - 2] ||
      out[rank - 1] != b.back()) {
    return "a product does not fit";
  }
  for (size_t axis = 0; axis + 2 < rank; ++axis) {
    for (const Shape* shape : {&a, &b}) {
      const size_t offset = rank - shape->size();
      const uint32_t size = axis < offset ? 1 : (*shape)[axis - offset];
      if (size != 1 && size != out[axis]) return "a product does not fit";
    }
  }
  return nullptr;
}

// The last two axes of a tensor, and views of the matrices before them.
struct Matrices {
  size_t rows, columns;
  std::ptrdiff_t row, column;
  View batch;

  Matrices(const Tensor& t, const Shape& out) : batch(t.data) {
    const size_t rank = t.shape.size(), offset = out.size() - rank;
    rows = t.shape[rank - 2];
    columns = t.shape[rank - 1];
    row = static_cast<std::ptrdiff_t>(t.strides[rank - 2]);
    column = static_cast<std::ptrdiff_t>(t.strides[rank - 1]);
    for (size_t axis = 0; axis + 2 < out.size(); ++axis) {
      const bool there = axis >= offset && t.shape[axis - offset] != 1;
      batch.add(out[axis], there ? static_cast<std::ptrdiff_t>(t.strides[axis - offset]) : 0);
    }
  }
};

void run(const Step& step, const ThreadPool& pool) {
  const Matrices a(step.inputs[0], step.y.shape), b(step.inputs[1], step.y.shape);
  const Matrices y(step.y, step.y.shape);
  const auto one = [&](float* to, const float* left, const float* right) {
    pool.parallel(y.rows, 1, [&](size_t first, size_t last) {
      for (size_t i = first; i < last; ++i) {
        float* row = to + static_cast<std::ptrdiff_t>(i) * y.row;
        for (size_t j = 0; j < y.columns; ++j) {
          const float* x = left + static_cast<std::ptrdiff_t>(i) * a.row;
          const float* w = right + static_cast<std::ptrdiff_t>(j) * b.column;
          float sum = 0;
          for (size_t k = 0; k < a.columns; ++k, x += a.column, w += b.row) sum += *x * *w;
          row[static_cast<std::ptrdiff_t>(j) * y.column] = sum;
        }
      }
    });
  };
  for_each_row<3>({&y.batch, &a.batch, &b.batch},
                  [&](const auto& at, const auto& stride, size_t count) {
                    for (size_t m = 0; m < count; ++m) {
                      const auto k = static_cast<std::ptrdiff_t>(m);
                      one(at[0] + k * stride[0], at[1] + k * stride[1], at[2] + k * stride[2]);
                    }
                  });
}

}  // namespace

extern const Operator op_matmul = {"matmul", Weights::none, check, run};

}  // namespace nestling::runtime
