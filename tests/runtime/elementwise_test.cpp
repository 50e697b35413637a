// Loops over elements against the C library, on every instruction set.
#include "runtime/elementwise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.h"
#include "support/targets.h"

#include "base/random.h"

using nestling::runtime::UnaryFunction;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

double expected(UnaryFunction function, double x) {
  switch (function) {
    case UnaryFunction::identity:
      return x;
    case UnaryFunction::leaky_relu:
      return x < 0 ? 0.25 * x : x;
    case UnaryFunction::elu:
      return x < 0 ? 0.25 * std::expm1(x) : x;
    case UnaryFunction::selu:
      return 0.5 * (x < 0 ? 0.25 * std::expm1(x) : x);
    case UnaryFunction::mish:
      return x * std::tanh(std::log1p(std::exp(std::min(x, 100.0))));
    case UnaryFunction::gelu:
      return x / 2 * std::erfc(-x * std::sqrt(0.5));
    case UnaryFunction::sigmoid:
      return 1 / (1 + std::exp(-x));
    case UnaryFunction::hard_sigmoid:
      return std::clamp(0.25 * x + 0.5, 0.0, 1.0);
    case UnaryFunction::hard_swish:
      return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    default:
      return std::tanh(x);
  }
}

}  // namespace

TEST_CASE("functions of one element are the C library's") {
  std::vector<float> x;
  for (int i = -400; i <= 400; ++i) x.push_back(static_cast<float>(i) / 16);
  for (const float far : {50.0F, 87.0F, 88.5F, 100.0F, 104.0F, 1e4F, 1e30F, 3e38F}) {
    x.push_back(far);
    x.push_back(-far);
  }
  test::for_each_instruction_set([&] {
    for (const UnaryFunction function :
         {UnaryFunction::identity, UnaryFunction::leaky_relu, UnaryFunction::elu,
          UnaryFunction::selu, UnaryFunction::sigmoid, UnaryFunction::hard_sigmoid,
          UnaryFunction::hard_swish, UnaryFunction::mish, UnaryFunction::gelu,
          UnaryFunction::tanh}) {
      INFO("function " << static_cast<int>(function));
      for (const bool times_x : {false, true}) {
        std::vector<float> y(x.size());
        REQUIRE(
            nestling::runtime::unary(function, 0.25F, 0.5F, times_x, x.data(), y.data(), x.size()));
        for (size_t i = 0; i < x.size(); ++i) {
          INFO("x = " << x[i]);
          if (x[i] < -1e31F && (times_x || function == UnaryFunction::mish)) continue;
          if (times_x && function != UnaryFunction::sigmoid && std::abs(x[i]) > 1e8F) continue;
          const double exact = expected(function, x[i]) * (times_x ? x[i] : 1);
          CHECK(y[i] == Approx(exact).epsilon(1e-6).margin(1e-6));
        }
      }
    }
    std::vector<float> edge{kInfinity, -kInfinity};
    REQUIRE(
        nestling::runtime::unary(UnaryFunction::sigmoid, 0, 0, false, edge.data(), edge.data(), 2));
    CHECK(edge[0] == Approx(1).epsilon(1e-6));
    CHECK(edge[1] < 1e-37F);
  });
  float y = 7;
  CHECK_FALSE(nestling::runtime::unary(UnaryFunction::floor, 0, 0, false, &y, &y, 1));
  CHECK(y == 7);
}

TEST_CASE("loops of every length touch what they should and nothing behind") {
  test::for_each_instruction_set([] {
    for (size_t count = 0; count <= 70; ++count) {
      INFO(count << " elements");
      std::vector<float> a(count), b(count);
      for (size_t i = 0; i < count; ++i) {
        a[i] = static_cast<float>(i) - 30;
        b[i] = 10 - static_cast<float>(i) / 2;
      }
      const auto check = [&](auto run, auto one) {
        std::vector<float> y(count + 20, 99.0F);
        run(y.data());
        for (size_t i = 0; i < y.size(); ++i) CHECK(y[i] == (i < count ? one(a[i], b[i]) : 99.0F));
      };
      using namespace nestling::runtime;
      check([&](float* y) { add(a.data(), b.data(), y, count); }, std::plus<>());
      check([&](float* y) { multiply(a.data(), b.data(), y, count); }, std::multiplies<>());
      check([&](float* y) { maximum(a.data(), b.data(), y, count); },
            [](float v, float w) { return std::max(v, w); });
      check(
          [&](float* y) {
            interpolate(a.data(), b.data(), b.data(), a.data(), 0.25F, 0.5F, y, count);
          },
          [](float v, float w) {
            return (v * 0.75F + w * 0.25F) * 0.5F + (w * 0.75F + v * 0.25F) * 0.5F;
          });
      check(
          [&](float* y) {
            std::copy(a.begin(), a.end(), y);
            clamp(-5, 12, y, count);
          },
          [](float v, float) { return std::clamp(v, -5.0F, 12.0F); });
    }
  });
}

TEST_CASE("softmaxes of every length are the C library's, also of numbers far apart") {
  nestling::Random random(3);
  test::for_each_instruction_set([&] {
    for (size_t count = 1; count <= 70; ++count) {
      for (const double spread : {1.0, 30.0, 1e4}) {
        INFO(count << " elements");
        std::vector<float> x(count), y(count + 20, 99.0F);
        double highest = -kInfinity, sum = 0;
        for (float& v : x) {
          v = static_cast<float>(random.normal() * spread);
          highest = std::max<double>(highest, v);
        }
        for (const float v : x) sum += std::exp(v - highest);
        for (const bool log : {false, true}) {
          nestling::runtime::softmax(x.data(), y.data(), count, log);
          for (size_t i = 0; i < count; ++i) {
            const double exact = x[i] - highest - std::log(sum);
            CHECK(y[i] == Approx(log ? exact : std::exp(exact)).epsilon(2e-6).margin(1e-6));
          }
          CHECK(std::count(y.begin() + static_cast<std::ptrdiff_t>(count), y.end(), 99.0F) == 20);
        }
        nestling::runtime::softmax(x.data(), x.data(), count, true);  // in place
        CHECK(std::equal(x.begin(), x.end(), y.begin()));
      }
    }
  });
}

TEST_CASE("two or three rows are interleaved, of any length") {
  test::for_each_instruction_set([] {
    for (size_t count = 0; count < 70; ++count) {
      for (size_t rows = 2; rows <= 3; ++rows) {
        const size_t apart = count + 3;
        std::vector<float> x(rows * apart), y(rows * count + 1, -1.0F);
        for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
        nestling::runtime::interleave(x.data(), static_cast<std::ptrdiff_t>(apart), rows, y.data(),
                                      count);
        for (size_t i = 0; i < rows * count; ++i) CHECK(y[i] == x[i / rows + i % rows * apart]);
        CHECK(y.back() == -1.0F);
      }
    }
  });
}
