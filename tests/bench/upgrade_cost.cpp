// What a larger capacity costs a model that runs, beside opening the package for it:
//   upgrade_cost PACKAGE [RUNS]
//   upgrade_cost ARCH MULTIPLIER EXTENT CAPACITIES
// by medians: from capacity 1 to the largest, back, and again while the file is in the page cache;
// the largest of a package that is opened, with the file in the cache and without.
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "measure/frame.h"
#include "measure/measure.h"
#include "runtime/model.h"
#include "seconds.h"
#include "support/nested_graph.h"
#include "support/temporary_folder.h"
#include "zoo_arguments.h"

#include "base/error.h"
#include "base/file.h"
#include "package/package.h"

namespace {

// Of a file that is written: its pages leave the cache.
void forget(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 || ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0) {
    nestling::fail("{} cannot be taken out of the page cache", path);
  }
  ::close(file);
}

nestling::runtime::Model opened(const std::string& path) {
  auto model = nestling::runtime::Model::open(path.c_str(), {});
  nestling::check(model.status());
  return std::move(model.value());
}

// A package of as many capacities, of random weights, that is on the disk.
std::string made_in(const TemporaryFolder& folder, const ZooArguments& arguments) {
  nestling::Random random(1);
  const nestling::Graph nested = test::nested_graph(arguments.graph, nestling::Growth::full,
                                                    arguments.capacities, random, true, 8);
  std::string path = folder / "model.nest";
  nestling::write_file(path, nestling::make_package(nested, arguments.graph.name));
  ::sync();
  return path;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2) nestling::fail("upgrade_cost PACKAGE [RUNS]");
    const TemporaryFolder folder;
    const std::string package =
        argc < 4 ? argv[1] : made_in(folder, ZooArguments(argc, argv, 1000));
    const int runs = argc == 3 ? std::atoi(argv[2]) : 51;
    std::vector<double> upgrade, again, downgrade, warm, cold;
    const auto time = [](std::vector<double>& to, const auto& work) {
      to.push_back(bench::milliseconds(work));
    };
    const auto open_largest = [&] {
      nestling::runtime::Model model = opened(package);
      nestling::check(model.set_capacity(model.header().capacities()));
    };
    for (int run = 0; run < runs; ++run) {
      forget(package);
      time(cold, open_largest);
      time(warm, open_largest);
      nestling::runtime::Model model = opened(package);
      const uint32_t largest = model.header().capacities();
      nestling::check(model.set_capacity(1));
      time(upgrade, [&] { nestling::check(model.set_capacity(largest)); });
      time(downgrade, [&] { nestling::check(model.set_capacity(1)); });
      time(again, [&] { nestling::check(model.set_capacity(largest)); });
    }
    const auto median = [](std::vector<double>& times) { return nestling::quantile(times, 0.5); };
    fmt::print(
        "upgrade {:.3f} ms, again {:.3f}, downgrade {:.3f}; opened: {:.3f}, with the file not in "
        "the page cache {:.3f}\n",
        median(upgrade), median(again), median(downgrade), median(warm), median(cold));
  } catch (const nestling::Error& error) {
    fmt::print(stderr, "upgrade_cost: {}\n", error.what());
    return 1;
  }
}
