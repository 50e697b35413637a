// A user's program: takes the installed headers, opens a package, runs it. Prints the outputs.
#include <cstdio>
#include <runtime/model.h>
#include <vector>

int main(int, char** argv) {
  auto opened = nestling::runtime::Model::open(argv[1], {});
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.status().text().c_str());
    return 1;
  }
  nestling::runtime::Model& model = opened.value();
  const uint32_t largest = model.header().capacities();
  const std::vector<float> input(model.input_floats(), 0.5F);
  std::vector<float> output(model.output_floats());
  if (!model.set_capacity(largest).ok() || !model.run(input.data(), output.data()).ok()) return 1;
  std::printf("%u capacities, first output %.4f\n", largest, static_cast<double>(output[0]));
}
