// What paging promises: the same outputs, nothing kept, nothing touched that is not needed, weights
// that exist once, no torn result between threads.
#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/mman.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include "runtime/model.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/temporary_folder.h"

#include "base/file.h"
#include "graph/zoo.h"
#include "package/package.h"

using nestling::Graph;
using nestling::Growth;
using nestling::runtime::Model;

namespace {

// Sanitizers keep memory of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

// A package in a folder that is not in memory, as /tmp may be.
struct PackageFile {
  std::filesystem::path path;

  explicit PackageFile(const Graph& graph)
      : path("paging-test-" + std::to_string(::getpid()) + ".nest") {
    nestling::write_file(path, nestling::make_package(graph, "test"));
  }
  PackageFile(const PackageFile&) = delete;
  PackageFile& operator=(const PackageFile&) = delete;
  ~PackageFile() { std::filesystem::remove(path); }

  Model open(const nestling::runtime::ModelOptions& options = {}) const {
    auto opened = Model::open(path.c_str(), options);
    REQUIRE(opened.ok());
    return std::move(opened.value());
  }
};

// 15 MB of weights in three capacities: segments that are larger than the kernel reads ahead.
Graph large_model(double multiplier = 0.5) {
  nestling::Random random(4);
  return test::nested_graph(
      nestling::make_model(
          "vgg16",
          {.classes = 10, .channels = 3, .height = 32, .width = 32, .multiplier = multiplier}),
      Growth::full, 3, random);
}

// Kilobytes of `field` in /proc/self/smaps, of mappings of `file`; of all if it is empty.
int64_t mapped_kb(const std::string& field, const std::string& file) {
  std::ifstream smaps("/proc/self/smaps");
  int64_t sum = 0;
  bool counts = false;
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream words(line);
    std::string first, value;
    words >> first >> value;
    if (first.find('-') != std::string::npos) {
      counts = file.empty() || line.ends_with(file);
    } else if (counts && first == field + ":") {
      sum += std::stoll(value);
    }
  }
  return sum;
}

size_t open_files() {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                           std::filesystem::directory_iterator()));
}

std::vector<float> run(Model& model, const std::vector<float>& input) {
  std::vector<float> output(model.output_floats());
  REQUIRE(model.run(input.data(), output.data()).ok());
  return output;
}

std::vector<float> input_for(const Model& model) {
  nestling::Random random(8);
  std::vector<float> input(model.input_floats());
  for (float& x : input) x = static_cast<float>(random.normal());
  return input;
}

// The share of the pages of a segment, less what the kernel may read ahead at its ends, that are in
// the page cache.
double resident(const PackageFile& file, const nestling::runtime::SegmentSpec& segment) {
  constexpr uint64_t kAhead = 128 << 10;
  REQUIRE(segment.bytes > 3 * kAhead);
  const int descriptor = ::open(file.path.c_str(), O_RDONLY);
  const uint64_t bytes = segment.bytes - 2 * kAhead;
  void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor,
                         static_cast<off_t>(segment.offset + kAhead));
  REQUIRE(address != MAP_FAILED);
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((bytes + page - 1) / page);
  REQUIRE(::mincore(address, bytes, pages.data()) == 0);
  ::munmap(address, bytes);
  ::close(descriptor);
  const auto there = std::count_if(pages.begin(), pages.end(), [](auto p) { return p & 1; });
  return static_cast<double>(there) / static_cast<double>(pages.size());
}

void forget_cached_pages(const PackageFile& file) {
  const int descriptor = ::open(file.path.c_str(), O_RDONLY);
  REQUIRE(::fsync(descriptor) == 0);
  REQUIRE(::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0);
  ::close(descriptor);
}

}  // namespace

TEST_CASE("ten thousand changes of capacity leave outputs, mappings and files as they were") {
  const uint64_t seed = 31;
  INFO("seed " << seed);
  nestling::Random random(seed);
  const PackageFile file(test::nested_graph(test::residual_network(1), Growth::full, 4, random));
  const size_t files = open_files();
  {
    Model model = file.open();
    const std::vector<float> input = input_for(model);
    std::vector<std::vector<float>> first;
    for (uint32_t k = 1; k <= 4; ++k) {
      REQUIRE(model.set_capacity(k).ok());
      first.push_back(run(model, input));
    }
    for (int i = 0; i < 10000; ++i) {
      const auto k = static_cast<uint32_t>(random.below(5));
      REQUIRE(model.set_capacity(k).ok());
      if (k > 0 && random.below(2) == 0) REQUIRE(run(model, input) == first[k - 1]);
    }
    REQUIRE(model.set_capacity(0).ok());
    CHECK(mapped_kb("Size", file.path) == 0);
    CHECK(open_files() == files + 1);
  }
  CHECK(open_files() == files);
}

TEST_CASE("a capacity takes the memory of its segments and its arena, and shared weights once") {
  const PackageFile file(large_model());
  Model model = file.open();
  const std::vector<float> input = input_for(model);
  std::vector<float> output(model.output_floats());
  const int64_t before = mapped_kb("Rss", "");
  for (const uint32_t k : {3U, 2U, 1U}) {
    REQUIRE(model.set_capacity(k).ok());
    REQUIRE(model.run(input.data(), output.data()).ok());
    const auto footprint = model.footprint();
    const auto bound =
        static_cast<int64_t>((footprint.weights_bytes + footprint.activation_bytes) / 1024);
    INFO("capacity " << k);
    if (!kSanitized) CHECK(mapped_kb("Rss", "") - before <= bound + 2048);
    const auto weights = static_cast<int64_t>(footprint.weights_bytes / 1024);
    CHECK(mapped_kb("Rss", file.path) >= weights);
    CHECK(mapped_kb("Rss", file.path) <= weights + 64);
    CHECK(mapped_kb("Private_Dirty", file.path) == 0);
  }
  // Two more models of the same file: their shares of the pages add up to one.
  const int64_t once = mapped_kb("Pss", file.path);
  Model second = file.open(), third = file.open();
  REQUIRE(second.set_capacity(1).ok());
  REQUIRE(third.set_capacity(1).ok());
  CHECK(mapped_kb("Rss", file.path) >= 3 * once);
  CHECK(mapped_kb("Pss", file.path) <= once + 64);
}

TEST_CASE("an upgrade reads the new segment and no other") {
  const PackageFile file(large_model());
  Model model = file.open();
  const auto& segments = model.header().segments;
  forget_cached_pages(file);
  if (resident(file, segments[2]) > 0) {
    WARN("this file system keeps its files in memory; nothing to see");
    return;
  }
  REQUIRE(model.set_capacity(1).ok());
  CHECK(resident(file, segments[0]) == 1);
  CHECK(resident(file, segments[1]) == 0);
  CHECK(resident(file, segments[2]) == 0);
  // What is mapped cannot be evicted, so only what an upgrade maps anew comes in.
  REQUIRE(model.set_capacity(2).ok());
  CHECK(resident(file, segments[1]) == 1);
  CHECK(resident(file, segments[2]) == 0);
}

TEST_CASE("a segment is read from its file ahead of the first page that is touched") {
  const PackageFile file(large_model(1));
  Model model = file.open();
  const auto faults = [] {  // for which nobody had asked for the page before
    rusage usage{};
    REQUIRE(::getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_majflt;
  };
  for (uint32_t k = 1; k <= 3; ++k) {
    const auto& segment = model.header().segments[k - 1];
    forget_cached_pages(file);
    const auto before = faults();
    REQUIRE(model.set_capacity(k).ok());
    INFO("capacity " << k << ", " << segment.bytes << " bytes");
    CHECK(static_cast<uint64_t>(faults() - before) < segment.bytes / (100 * 4096));
  }
}

TEST_CASE("a package is opened from memory, and from inside another file") {
  nestling::Random random(21);
  const Graph graph = test::nested_graph(test::residual_network(1), Growth::full, 3, random);
  const std::string bytes = nestling::make_package(graph, "test");
  const PackageFile file(graph);
  Model model = file.open();
  const std::vector<float> input = input_for(model);
  // Behind 12,340 other bytes, which is no multiple of a page, and before others.
  const TemporaryFolder folder;
  nestling::write_file(folder / "asset", std::string(12340, 'a') + bytes + "more");
  const int descriptor = ::open((folder / "asset").c_str(), O_RDONLY);
  const size_t files = open_files();
  {
    auto inside = Model::open_descriptor(descriptor, 12340, bytes.size(), {});
    REQUIRE(inside.ok());
    CHECK(open_files() == files + 1);
    auto memory = Model::open_memory(bytes.data(), bytes.size(), {});
    REQUIRE(memory.ok());
    for (const uint32_t k : {1U, 3U, 2U, 0U, 3U}) {
      for (Model* each : {&model, &inside.value(), &memory.value()}) {
        REQUIRE(each->set_capacity(k).ok());
        if (k > 0) CHECK(run(*each, input) == run(model, input));
      }
    }
  }
  CHECK(open_files() == files);
  for (const uint64_t size : {uint64_t{0}, uint64_t{23}, uint64_t{100}, bytes.size() - 1}) {
    CHECK_FALSE(Model::open_memory(bytes.data(), size, {}).ok());
    CHECK_FALSE(Model::open_descriptor(descriptor, 12340, size, {}).ok());
  }
  CHECK_FALSE(Model::open_descriptor(descriptor, 12340, bytes.size() + 5, {}).ok());
  CHECK_FALSE(Model::open_descriptor(descriptor, 12341, bytes.size(), {}).ok());
  CHECK_FALSE(Model::open_descriptor(-1, 0, bytes.size(), {}).ok());
  CHECK_FALSE(Model::open_memory(bytes.data() + 1, bytes.size() - 1, {}).ok());
  ::close(descriptor);
}

TEST_CASE("a change of capacity waits for the inference that runs in another thread") {
  nestling::Random random(12);
  const PackageFile file(test::nested_graph(test::chain_network(2), Growth::full, 3, random));
  for (const int threads : {1, 2}) {
    Model model = file.open({.threads = threads});
    const std::vector<float> input = input_for(model);
    std::vector<std::vector<float>> expected;
    for (uint32_t k = 1; k <= 3; ++k) {
      REQUIRE(model.set_capacity(k).ok());
      expected.push_back(run(model, input));
    }
    std::atomic<bool> done = false;
    std::thread changes([&] {
      nestling::Random which(13);
      for (int i = 0; i < 500; ++i) {
        const bool changed = model.set_capacity(1 + static_cast<uint32_t>(which.below(3))).ok();
        if (!changed) break;
        std::this_thread::yield();
      }
      done = true;
    });
    int torn = 0, runs = 0;
    for (; !done; ++runs) {
      const std::vector<float> output = run(model, input);
      torn += std::find(expected.begin(), expected.end(), output) == expected.end();
    }
    changes.join();
    CHECK(torn == 0);
    CHECK(runs > 0);
  }
}
