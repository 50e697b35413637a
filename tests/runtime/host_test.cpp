// Several applications on one host: what they compute, what they are given, and what one can do to
// the others.
#include "runtime/host.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>
#include <unistd.h>

#include "runtime/cpu.h"
#include "runtime/tuning.h"
#include "support/catch.h"
#include "support/packaged.h"

#include "base/file.h"

using namespace nestling;
using runtime::ApplicationId;
using runtime::ApplicationReport;
using runtime::Decided;
using runtime::Frame;
using runtime::Host;
using runtime::HostOptions;
using runtime::Status;
using runtime::StatusCode;
using test::Packaged;

namespace {

// Of this machine's memory a test knows nothing.
std::unique_ptr<Host> make_host(HostOptions options) {
  options.watch_memory = false;
  auto made = Host::make(options);
  REQUIRE(made.ok());
  return std::move(made.value());
}

ApplicationId add(Host& host, const Packaged& packaged) {
  auto id = host.add(packaged.path.c_str(), packaged.goals);
  REQUIRE(id.ok());
  return id.value();
}

ApplicationReport report(const Host& host, ApplicationId id) {
  auto told = host.report(id);
  REQUIRE(told.ok());
  return told.value();
}

Frame run(Host& host, ApplicationId id, const Packaged& packaged) {
  const float* input = packaged.input.data();
  return host.submit(id, &input).get();
}

// Waits for what other threads do; false if it does not come.
template <typename F>
bool eventually(const F& condition) {
  for (int i = 0; i < 60000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

// Keeps an application busy until stop(): every frame that comes back sends the next.
class Busy {
 public:
  Busy(Host& host, ApplicationId id, const Packaged& packaged, int frames = 2)
      : host_(host), id_(id), input_(packaged.input.data()) {
    for (int i = 0; i < frames; ++i) submit();
  }
  void stop() {
    going_ = false;
    REQUIRE(eventually([&] { return on_their_way_ == 0; }));
  }
  uint64_t failed() const { return failed_; }

 private:
  void submit() {
    ++on_their_way_;
    const Status status = host_.submit(id_, &input_, [this](const Frame& frame) {
      if (!frame.status.ok()) {
        ++failed_;
      } else if (going_) {
        submit();
      }
      --on_their_way_;
    });
    if (!status.ok()) --on_their_way_;
  }

  Host& host_;
  ApplicationId id_;
  const float* input_;
  std::atomic<bool> going_ = true;
  std::atomic<int> on_their_way_ = 0;
  std::atomic<uint64_t> failed_ = 0;
};

}  // namespace

TEST_CASE("a host computes what a model computes, at the capacity that it decided") {
  const TemporaryFolder folder;
  const Packaged packaged(folder, "camera");
  std::vector<std::string> events;
  auto host =
      make_host({.device = {packaged.memory(3)},
                 .threads = 2,
                 .feedback = false,
                 .on_decision = [&](const Decided& decided) {
                   events.push_back(decided.event);
                   CHECK(decided.decision.memory_bytes <= decided.problem.device.memory_bytes);
                 }});
  const ApplicationId id = add(*host, packaged);
  for (const int capacity : {3, 1, 2}) {
    REQUIRE(host->set_device({packaged.memory(capacity)}).ok());
    REQUIRE(eventually([&] { return report(*host, id).capacity == capacity; }));
    CHECK(host->memory_bytes() == packaged.memory(capacity));
    const Frame frame = run(*host, id, packaged);
    REQUIRE(frame.status.ok());
    CHECK(frame.capacity == capacity);
    CHECK(frame.latency_s > 0);
    CHECK(frame.outputs == std::vector<std::vector<float>>{packaged.expected(capacity)});
  }
  const ApplicationReport told = report(*host, id);
  CHECK(told.submitted == 3);
  CHECK(told.done == 3);
  CHECK(told.switches == 2);
  CHECK(told.accuracy == Approx(0.7));
  REQUIRE(host->remove(id).ok());
  CHECK(host->memory_bytes() == 0);
  CHECK(events.size() == 5);
  CHECK(events.front() == "camera starts");
  CHECK(events.back() == "camera stops");
}

TEST_CASE("a host computes as a tuning file says, and measures nothing") {
  const TemporaryFolder folder;
  const Packaged packaged(folder, "camera", 64);
  const std::string file = folder / "tuning";
  const auto outputs = [&](runtime::ConvMethod method) {
    auto opened = runtime::Model::open(packaged.path.c_str(), {.threads = 2});
    REQUIRE(opened.ok());
    const auto& header = opened.value().header();
    for (uint32_t k = 2; k <= 3; ++k) {  // of capacity 1 nothing is known
      const uint64_t key = runtime::tuning_key(header, k, 2);
      REQUIRE(runtime::Tuning(file).keep(key, runtime::Methods(header.nodes.size(), method)).ok());
    }
    const std::string before = nestling::read_file(file);
    // More than any way of computing it takes.
    std::atomic<uint64_t> counted = 0;
    auto host = make_host(
        {.device = {4 * packaged.memory(3)},
         .threads = 2,
         .tuning = file,
         .on_decision = [&](const Decided& decided) { counted = decided.decision.memory_bytes; }});
    const ApplicationId id = add(*host, packaged);
    REQUIRE(eventually([&] { return report(*host, id).capacity == 3; }));
    const Frame frame = run(*host, id, packaged);
    REQUIRE(frame.status.ok());
    CHECK(host->memory_bytes() <= counted);
    REQUIRE(host->set_device({packaged.memory(1)}).ok());
    REQUIRE(eventually([&] { return report(*host, id).capacity == 1; }));
    CHECK(run(*host, id, packaged).outputs ==
          std::vector<std::vector<float>>{packaged.expected(1)});
    CHECK(nestling::read_file(file) == before);
    return frame.outputs.at(0);
  };
  const auto direct = outputs(runtime::ConvMethod::direct);
  const auto winograd = outputs(runtime::ConvMethod::winograd);
  CHECK(direct != winograd);  // another order of sums
  for (size_t i = 0; i < direct.size(); ++i) CHECK(direct[i] == Approx(winograd[i]).margin(1e-4));
}

TEST_CASE("applications that are always busy get their shares within 5 % over a second") {
  const TemporaryFolder folder;
  // Layers of very different sizes.
  const Packaged large(folder, "large", 64), small(folder, "small", 8),
      middle(folder, "middle", 24);
  const std::vector<const Packaged*> all = {&large, &small, &middle};
  const double wanted[] = {0.5, 0.2, 0.3};
  // Frames enough that nobody runs out of them while his callbacks wait for a processor.
  auto host = make_host({.device = {1U << 30}, .threads = 2, .queue = 256, .feedback = false});
  std::vector<ApplicationId> ids;
  for (size_t i = 0; i < all.size(); ++i) {
    // With only one capacity's cost that matters, MinTotalCost shares by the root of alpha L.
    Packaged one = *all[i];
    one.goals.alpha = wanted[i] * wanted[i] / 1e-3;
    one.goals.max_latency_s = 1e-6;
    for (auto& cost : one.goals.capacities) cost.latency_s = 1e-3;
    ids.push_back(add(*host, one));
  }
  std::vector<std::unique_ptr<Busy>> busy;
  for (size_t i = 0; i < all.size(); ++i) {
    REQUIRE(eventually([&] { return report(*host, ids[i]).capacity == 3; }));
    CHECK(report(*host, ids[i]).assignment.share == Approx(wanted[i]).epsilon(0.001));
  }
  for (size_t i = 0; i < all.size(); ++i) {
    busy.push_back(std::make_unique<Busy>(*host, ids[i], *all[i], 200));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  // What other programs take of the processor may disturb a second, but not several.
  std::vector<double> got;
  double sum = 0;
  const auto right = [&](size_t i) { return got[i] / sum == Approx(wanted[i]).epsilon(0.05); };
  for (int attempt = 0; attempt < 4; ++attempt) {
    std::vector<double> before;
    for (const ApplicationId id : ids) before.push_back(report(*host, id).busy_s);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    got.clear();
    sum = 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      got.push_back(report(*host, ids[i]).busy_s - before[i]);
      sum += got[i];
    }
    if (right(0) && right(1) && right(2)) break;
  }
  for (auto& one : busy) one->stop();
  for (size_t i = 0; i < ids.size(); ++i) {
    INFO(all[i]->goals.name);
    CHECK(right(i));
    CHECK(busy[i]->failed() == 0);
  }
}

TEST_CASE("what of the processor is not the host's is left to others") {
  const TemporaryFolder folder;
  const Packaged packaged(folder, "camera", 32);
  auto host = make_host({.device = {1U << 30, 0.25}, .feedback = false});
  const ApplicationId id = add(*host, packaged);
  Busy busy(*host, id, packaged);
  REQUIRE(eventually([&] { return report(*host, id).done > 0; }));
  const double before = report(*host, id).busy_s;
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const double got = report(*host, id).busy_s - before;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  busy.stop();
  CHECK(got / passed.count() < 0.28);
}

TEST_CASE("memory stays within the budget while applications and budgets come and go") {
  const TemporaryFolder folder;
  std::vector<Packaged> all;
  uint64_t most = 0, least = 0;
  for (int i = 0; i < 4; ++i) {
    all.emplace_back(folder, "app" + std::to_string(i), 16 + 8 * i, i);
    most += all.back().memory(3);
    least += all.back().memory(1);
  }
  const uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  Random random(seed);
  uint64_t budget = most;
  auto host = make_host({.device = {most}, .threads = 2, .feedback = false});
  std::vector<ApplicationId> ids(all.size(), 0);
  std::vector<std::unique_ptr<Busy>> busy(all.size());
  // What was paged in ahead for an older decision may outlive the newer one by a moment.
  const auto settled = [&] {
    return host->memory_bytes() <= budget &&
           std::all_of(ids.begin(), ids.end(), [&](ApplicationId id) {
             if (id == 0) return true;
             const ApplicationReport told = report(*host, id);
             return told.capacity == told.assignment.capacity;
           });
  };
  uint64_t bound = budget;  // the largest budget since memory was last as decided
  const char* events = std::getenv("NESTLING_HOST_EVENTS");  // for hours, if one likes
  for (int event = 0; event < (events == nullptr ? 200 : std::atoi(events)); ++event) {
    const size_t i = random.below(all.size());
    if (random.below(2) == 0) {
      REQUIRE(eventually(settled));
      bound = budget;
    }
    if (random.below(3) == 0) {
      budget = least / 2 + random.below(most - least / 2);
      REQUIRE(host->set_device({budget}).ok());
    } else if (ids[i] == 0) {
      ids[i] = add(*host, all[i]);
      busy[i] = std::make_unique<Busy>(*host, ids[i], all[i]);
    } else if (random.below(2) == 0) {
      REQUIRE(host->set_goals(ids[i], random.uniform(), 1e-4 + random.uniform() * 1e-3).ok());
    } else {
      REQUIRE(host->remove(ids[i]).ok());
      busy[i]->stop();
      ids[i] = 0;
    }
    bound = std::max(bound, budget);
    for (int look = 0; look < 20; ++look) {
      CHECK(host->memory_bytes() <= bound);
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(200)));
    }
  }
  for (size_t i = 0; i < all.size(); ++i) {
    if (ids[i] == 0) continue;
    const ApplicationReport told = report(*host, ids[i]);
    CHECK(told.status.ok());
    REQUIRE(host->remove(ids[i]).ok());
    busy[i]->stop();
  }
  CHECK(host->memory_bytes() == 0);
}

TEST_CASE("a package that is cut short on disk fails its own application only") {
  const TemporaryFolder folder;
  const Packaged broken(folder, "broken", 32), sound(folder, "sound", 32, 2);
  std::vector<std::string> events;
  std::mutex mutex;
  auto host =
      make_host({.device = {1U << 30}, .threads = 2, .on_decision = [&](const Decided& decided) {
                   const std::lock_guard lock(mutex);
                   // Events that one decision answers are told together.
                   std::string all = decided.event + "; ";
                   for (size_t end = 0; (end = all.find("; ")) != std::string::npos;) {
                     events.push_back(all.substr(0, end));
                     all.erase(0, end + 2);
                   }
                 }});
  const ApplicationId bad = add(*host, broken), good = add(*host, sound);
  REQUIRE(eventually([&] { return report(*host, bad).capacity == 3; }));
  Busy busy(*host, good, sound), breaking(*host, bad, broken);
  REQUIRE(eventually([&] { return report(*host, bad).done > 10; }));
  // Its pages go under the running inferences.
  REQUIRE(::truncate(broken.path.c_str(), 16384) == 0);
  REQUIRE(eventually([&] { return !report(*host, bad).status.ok(); }));
  breaking.stop();
  CHECK(breaking.failed() > 0);
  const Frame refused = run(*host, bad, broken);
  CHECK(refused.status.code() == StatusCode::io);
  CHECK(refused.status.text() == "the package changed on disk while it was in use");
  const uint64_t done = report(*host, good).done;
  REQUIRE(eventually([&] { return report(*host, good).done > done + 10; }));
  busy.stop();
  CHECK(busy.failed() == 0);
  REQUIRE(eventually([&] { return report(*host, bad).memory_bytes == 0; }));
  CHECK(run(*host, good, sound).outputs[0] == sound.expected(3));
  CHECK(host->remove(bad).ok());
  const std::lock_guard lock(mutex);
  CHECK(std::count(events.begin(), events.end(),
                   "broken failed: the package changed on disk while it was in use") == 1);
}

TEST_CASE("a package that is damaged or replaced before it is paged in is refused") {
  const TemporaryFolder folder;
  const Packaged packaged(folder, "camera");
  auto host = make_host({.device = {packaged.memory(1)}});
  const ApplicationId id = add(*host, packaged);
  REQUIRE(eventually([&] { return report(*host, id).capacity == 1; }));
  std::string bytes = read_file(packaged.path);
  bytes[bytes.size() - 1] ^= 1;
  {  // in place, as a careless update does
    std::ofstream file(packaged.path, std::ios::binary);
    file << bytes;
  }
  REQUIRE(host->set_device({1U << 30}).ok());
  REQUIRE(eventually([&] { return !report(*host, id).status.ok(); }));
  // Anew, the file is as it is, and its last segment is damaged.
  const ApplicationId again = add(*host, packaged);
  REQUIRE(eventually([&] { return !report(*host, again).status.ok(); }));
  CHECK(report(*host, again).status.code() == StatusCode::bad_checksum);
  CHECK(report(*host, again).status.text() == "the weights of capacity 3 are damaged");
  const auto missing = host->add((folder / "none.nest").c_str(), packaged.goals);
  CHECK(missing.status().code() == StatusCode::io);
}

TEST_CASE("callbacks that throw, block or are slow hold up nobody else") {
  const TemporaryFolder folder;
  const Packaged packaged(folder, "camera");
  auto host = make_host({.device = {1U << 30}, .threads = 2, .queue = 2});
  const ApplicationId throws = add(*host, packaged), blocks = add(*host, packaged),
                      good = add(*host, packaged);
  const float* input = packaged.input.data();
  for (const ApplicationId id : {throws, blocks, good}) {
    REQUIRE(eventually([&] { return report(*host, id).capacity == 3; }));
  }
  REQUIRE(host->submit(throws, &input, [](const Frame&) { throw std::runtime_error("oh"); }).ok());
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  const auto block = [released](const Frame&) { released.wait(); };
  REQUIRE(host->submit(blocks, &input, block).ok());
  REQUIRE(host->submit(blocks, &input, block).ok());
  REQUIRE(eventually([&] { return report(*host, blocks).done == 2; }));
  // Its frames are on their way as long as it blocks: a third one is too many.
  const Status full = host->submit(blocks, &input, block);
  CHECK(full.code() == StatusCode::busy);
  CHECK(full.text() == "camera has 2 frames on their way already");
  for (int i = 0; i < 20; ++i) CHECK(run(*host, good, packaged).status.ok());
  CHECK(run(*host, throws, packaged).status.ok());
  CHECK(report(*host, throws).callback_threw == 1);
  const ApplicationReport told = report(*host, blocks);
  CHECK(told.dropped == 1);
  CHECK(told.submitted == 3);
  release.set_value();
  std::promise<Status> own;
  REQUIRE(
      host->submit(good, &input, [&](const Frame&) { own.set_value(host->remove(good)); }).ok());
  CHECK(own.get_future().get().text() == "camera cannot be removed by its own callback");
  CHECK(host->remove(blocks).ok());
  CHECK(host->remove(blocks).text() == "there is no application 2");
}

TEST_CASE("a budget below all the seeds serves whom it can, and says whom it does not") {
  const TemporaryFolder folder;
  const Packaged packaged(folder, "app");
  auto host = make_host({.device = {packaged.memory(1) * 5 / 2}, .feedback = false});
  std::vector<ApplicationId> ids;
  for (int i = 0; i < 4; ++i) {
    Packaged one = packaged;
    one.goals.priority = i == 3 ? 10 : 1;
    ids.push_back(add(*host, one));
  }
  int served = 0;
  for (const ApplicationId id : ids) {
    const Frame frame = run(*host, id, packaged);
    if (frame.status.ok()) {
      ++served;
      continue;
    }
    CHECK(frame.status.code() == StatusCode::not_served);
    CHECK(frame.status.text() == "app is not served now");
    CHECK(report(*host, id).refused == 1);
  }
  CHECK(served == 2);
  CHECK(report(*host, ids[3]).done == 1);  // the one of the highest priority
  REQUIRE(host->set_device({0}).ok());
  for (const ApplicationId id : ids) CHECK_FALSE(run(*host, id, packaged).status.ok());
  REQUIRE(eventually([&] { return host->memory_bytes() == 0; }));
  // Goals that nobody can meet are served as well as can be.
  REQUIRE(host->set_device({packaged.memory(3) * 4}).ok());
  REQUIRE(host->set_goals(ids[0], 1, 1e-9).ok());
  const Frame late = run(*host, ids[0], packaged);
  CHECK(late.status.ok());
  CHECK(report(*host, ids[0]).late == 1);
  CHECK(host->set_goals(ids[0], 2, 1).code() == StatusCode::bad_argument);
  CHECK(host->set_device({1, 0}).code() == StatusCode::bad_argument);
}

TEST_CASE("what changes together is decided once") {
  const TemporaryFolder folder;
  const Packaged packaged(folder, "app");
  std::vector<Decided> decided;
  auto host = make_host({.device = {packaged.memory(1) * 3},
                         .feedback = false,
                         .on_decision = [&](const Decided& one) { decided.push_back(one); }});
  ApplicationId first = 0, second = 0;
  host->together([&] {
    first = add(*host, packaged);
    second = add(*host, packaged);
    CHECK(host->set_goals(first, 0.5, 0.1).ok());
  });
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].event == "app starts; app starts; app has other goals");
  CHECK(decided[0].who == std::vector<ApplicationId>{first, second});
  host->together([] {});
  CHECK(decided.size() == 1);
  CHECK(run(*host, second, packaged).status.ok());
}

TEST_CASE("64 applications are all served") {
  const TemporaryFolder folder;
  const Packaged packaged(folder, "app", 8);
  auto host = make_host({.device = {packaged.memory(2) * 64}, .threads = 2});
  std::vector<ApplicationId> ids;
  std::vector<std::unique_ptr<Busy>> busy;
  for (int i = 0; i < 64; ++i) {
    ids.push_back(add(*host, packaged));
    busy.push_back(std::make_unique<Busy>(*host, ids.back(), packaged));
  }
  for (const ApplicationId id : ids) {
    CHECK(eventually([&] { return report(*host, id).done >= 3; }));
  }
  CHECK(eventually([&] { return host->memory_bytes() <= packaged.memory(2) * 64; }));
  for (auto& one : busy) one->stop();
}

TEST_CASE("a device that is slower than its profile is noticed") {
  const TemporaryFolder folder;
  Packaged packaged(folder, "camera", 32);
  for (auto& cost : packaged.goals.capacities) cost.latency_s = 1e-7;
  std::atomic<bool> told = false;
  auto host =
      make_host({.device = {1U << 30}, .on_decision = [&](const Decided& decided) {
                   told = told || decided.event == "camera takes other times than its profile has";
                 }});
  const ApplicationId id = add(*host, packaged);
  for (int i = 0; i < 100; ++i) CHECK(run(*host, id, packaged).status.ok());
  CHECK(eventually([&] { return told.load(); }));
  CHECK(report(*host, id).latency_ratio > 2);
}

TEST_CASE("a system low on memory gets a quarter back, for a while") {
  const TemporaryFolder folder;
  const Packaged packaged(folder, "camera", 32);
  auto host = make_host({.device = {1U << 30}, .feedback = false});
  const ApplicationId id = add(*host, packaged);
  REQUIRE(eventually([&] { return report(*host, id).capacity == 3; }));
  host->low_memory(0.3);
  REQUIRE(eventually([&] { return host->memory_bytes() <= packaged.memory(3) / 4 * 3; }));
  CHECK(report(*host, id).assignment.capacity < 3);
  CHECK(eventually([&] { return report(*host, id).capacity == 3; }));
  // However often it asks, the smallest stays.
  REQUIRE(eventually([&] {
    host->low_memory(0.3);
    return report(*host, id).capacity == 1;
  }));
  for (int call = 0; call < 10; ++call) host->low_memory(0.3);
  CHECK(run(*host, id, packaged).status.ok());
}

TEST_CASE("an accelerator is a second processor, with shares of its own") {
  // Another CPU, to the host.
  struct Twin : runtime::Accelerator {
    int backends = 0;
    std::unique_ptr<runtime::Backend> backend(uint32_t /*capacities*/) override {
      ++backends;
      return std::make_unique<runtime::Cpu>();
    }
  };
  const TemporaryFolder folder;
  const Packaged camera(folder, "camera");
  Packaged voice(folder, "voice"), eyes(folder, "eyes");
  voice.goals.processor = eyes.goals.processor = runtime::Processor::accelerator;
  {
    auto alone = make_host({.device = {uint64_t{1} << 30}});
    CHECK_THAT(alone->add(voice.path.c_str(), voice.goals).status().text(),
               ContainsSubstring("voice asks for an accelerator; the host has none"));
    add(*alone, camera);
  }
  Twin twin;
  std::mutex mutex;
  runtime::Decision last;
  auto host = make_host({.device = {uint64_t{1} << 30, 1, 0.5},
                         .accelerator = &twin,
                         .feedback = false,
                         .on_decision = [&](const Decided& decided) {
                           const std::lock_guard lock(mutex);
                           last = decided.decision;
                         }});
  const ApplicationId ids[] = {add(*host, camera), add(*host, voice), add(*host, eyes)};
  CHECK(twin.backends == 2);
  {
    const std::lock_guard lock(mutex);
    CHECK(last.assignments[0].share == Approx(1));
    CHECK(last.assignments[1].share + last.assignments[2].share == Approx(0.5));
  }
  for (const ApplicationId id : ids) {
    REQUIRE(eventually([&] { return report(*host, id).capacity == 3; }));
  }
  const Packaged* const all[] = {&camera, &voice, &eyes};
  for (size_t i = 0; i < 3; ++i) {
    const Frame frame = run(*host, ids[i], *all[i]);
    REQUIRE(frame.status.ok());
    CHECK(frame.outputs[0] == all[i]->expected(3));
  }
  // They compute at the same time, and change while the others go on.
  {
    Busy first(*host, ids[0], camera), second(*host, ids[1], voice), third(*host, ids[2], eyes);
    for (int i = 0; i < 20; ++i) {
      REQUIRE(host->set_device({i % 2 == 0 ? camera.memory(1) * 4 : uint64_t{1} << 30, 0.9,
                                i % 3 == 0 ? 1 : 0.3})
                  .ok());
      const uint64_t before = report(*host, ids[i % 3]).done;
      REQUIRE(eventually([&] { return report(*host, ids[i % 3]).done > before + 3; }));
    }
    first.stop();
    second.stop();
    third.stop();
    CHECK(first.failed() + second.failed() + third.failed() == 0);
  }
  REQUIRE(host->remove(ids[1]).ok());
  CHECK(run(*host, ids[2], eyes).status.ok());
}
