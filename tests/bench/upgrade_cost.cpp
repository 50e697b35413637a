// What a larger capacity costs a model that runs, beside opening the package for it:
//   upgrade_cost PACKAGE [RUNS]
// by medians: from capacity 1 to the largest and back while the file is in the page cache; the
// largest of a package that is opened, with the file in the cache and without.
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "measure/frame.h"
#include "measure/measure.h"
#include "runtime/model.h"

#include "base/error.h"

namespace {

// Of a file that is written: its pages leave the cache.
void forget(const char* path) {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0) {
    nestling::fail("{} cannot be taken out of the page cache", path);
  }
  ::close(file);
}

nestling::runtime::Model opened(const char* path) {
  auto model = nestling::runtime::Model::open(path, {});
  nestling::check(model.status());
  return std::move(model.value());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2 || argc > 3) nestling::fail("upgrade_cost PACKAGE [RUNS]");
    const int runs = argc > 2 ? std::atoi(argv[2]) : 51;
    std::vector<double> upgrade, downgrade, warm, cold;
    const auto time = [](std::vector<double>& to, const auto& work) {
      const auto begin = std::chrono::steady_clock::now();
      work();
      to.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
              .count());
    };
    const auto open_largest = [&] {
      nestling::runtime::Model model = opened(argv[1]);
      nestling::check(model.set_capacity(model.header().capacities()));
    };
    for (int run = 0; run < runs; ++run) {
      forget(argv[1]);
      time(cold, open_largest);
      time(warm, open_largest);
      nestling::runtime::Model model = opened(argv[1]);
      const uint32_t largest = model.header().capacities();
      nestling::check(model.set_capacity(1));
      time(upgrade, [&] { nestling::check(model.set_capacity(largest)); });
      time(downgrade, [&] { nestling::check(model.set_capacity(1)); });
    }
    const auto median = [](std::vector<double>& times) { return nestling::quantile(times, 0.5); };
    fmt::print(
        "upgrade {:.3f} ms, downgrade {:.3f}; opened: {:.3f}, with the file not in the page "
        "cache {:.3f}\n",
        median(upgrade), median(downgrade), median(warm), median(cold));
  } catch (const nestling::Error& error) {
    fmt::print(stderr, "upgrade_cost: {}\n", error.what());
    return 1;
  }
}
