// What Winograd's convolutions bring on a GPU, beside direct ones:
//   gpu_winograd PACKAGE [RUNS]
// in turns on the first device, at the largest capacity: the least and the median of the runs, and
// what the model's scratch takes more of memory.
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <vector>

#include "measure/measure.h"
#include "runtime/model.h"
#include "runtime/vulkan/device.h"
#include "seconds.h"

#include "base/error.h"

using nestling::runtime::Model;
using nestling::runtime::vulkan::Device;
using nestling::runtime::vulkan::Winograd;

namespace {

struct Way {
  const char* name;
  std::unique_ptr<Device> device;
  Model model;
  std::vector<double> ms = {};
};

Way way_of(const char* name, Winograd winograd, const char* package) {
  auto device = Device::open(0, {.slice_ms = 0, .winograd = winograd});
  nestling::check(device.status());
  auto model = Model::open(package, {.accelerator = device.value().get()});
  nestling::check(model.status());
  nestling::check(model.value().set_capacity(model.value().header().capacities()));
  return {name, std::move(device.value()), std::move(model.value())};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2 || argc > 3) nestling::fail("gpu_winograd PACKAGE [RUNS]");
    const int runs = argc > 2 ? std::atoi(argv[2]) : 11;
    std::vector<Way> ways;
    ways.push_back(way_of("never", Winograd::never, argv[1]));
    ways.push_back(way_of("where it pays", Winograd::where_it_pays, argv[1]));
    ways.push_back(way_of("always", Winograd::always, argv[1]));
    std::vector<float> input(ways[0].model.input_floats(), 0.5F);
    std::vector<float> output(ways[0].model.output_floats());
    for (int run = 0; run <= runs; ++run) {
      for (Way& way : ways) {
        const double ms = bench::milliseconds(
            [&] { nestling::check(way.model.run(input.data(), output.data())); });
        if (run > 0) way.ms.push_back(ms);  // the first compiles
      }
    }
    double direct = 0;
    for (Way& way : ways) {
      std::sort(way.ms.begin(), way.ms.end());
      if (direct == 0) direct = way.ms.front();
      fmt::print("{:14} {:8.2f} ms, median {:8.2f}, ratio {:.2f}, {:6.1f} MB\n", way.name,
                 way.ms.front(), way.ms[way.ms.size() / 2], way.ms.front() / direct,
                 static_cast<double>(way.device->counters().allocated_bytes) / 1e6);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
