// Compares a package's outputs with LibTorch's over a whole test split, for every capacity:
//   compare_outputs multicapacity.onnx model.nest fashion-mnist
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "measure/measure.h"

#include "base/error.h"
#include "graph/nesting.h"
#include "graph/onnx.h"
#include "train/evaluate.h"
#include "train/train.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: compare_outputs MULTICAPACITY.onnx MODEL.nest DATA\n");
    return 2;
  }
  try {
    nestling::prepare_training(0);
    const nestling::Graph nested = nestling::load_onnx(argv[1]);
    const nestling::Nesting nesting = nestling::nesting_of(nested, argv[1]);
    const nestling::Dataset data = nestling::load_dataset(argv[3], "test");
    nestling::runtime::Model model = nestling::open_package(argv[2]);
    nestling::Progress quiet;
    const size_t classes = data.classes.size();
    for (int k = 1; k <= nesting.capacities(); ++k) {
      nestling::check(model.set_capacity(static_cast<uint32_t>(k)));
      const std::vector<float> ours = nestling::run_all(model, data, quiet);
      const std::vector<float> theirs =
          nestling::outputs(nestling::descend(nested, nesting, k), data);
      double worst = 0;  // difference of an output, relative to the image's largest
      int other_class = 0;
      for (size_t n = 0; n < ours.size(); n += classes) {
        double largest = 0, difference = 0;
        for (size_t i = n; i < n + classes; ++i) {
          largest = std::max(largest, std::abs(static_cast<double>(theirs[i])));
          difference = std::max(difference, std::abs(static_cast<double>(ours[i]) - theirs[i]));
        }
        worst = std::max(worst, difference / largest);
        const auto best = [&](const std::vector<float>& all) {
          const auto row = all.begin() + static_cast<std::ptrdiff_t>(n);
          return std::max_element(row, row + static_cast<std::ptrdiff_t>(classes)) - row;
        };
        other_class += best(ours) != best(theirs);
      }
      fmt::print("capacity {}: largest relative difference {:.2g}, other top-1 {} of {}\n", k,
                 worst, other_class, data.size());
    }
  } catch (const nestling::Error& error) {
    fmt::print(stderr, "compare_outputs: {}\n", error.what());
    return 1;
  }
}
