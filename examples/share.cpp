// Two applications share a device: a camera that wants 30 frames a second, and a background task
// that takes what is left. Halfway, the memory for them is cut to a third.
//   share MODEL.nest PROFILE.json
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <runtime/host.h>
#include <runtime/model.h>
#include <runtime/profile.h>
#include <thread>

namespace rt = nestling::runtime;

template <typename T>
T value_of(rt::Result<T> result) {
  if (result.ok()) return std::move(result.value());
  std::fprintf(stderr, "%s\n", result.status().text().c_str());
  std::exit(1);
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: share MODEL.nest PROFILE.json\n");
    return 2;
  }
  rt::Application camera;
  camera.name = "camera";
  camera.capacities = value_of(rt::read_profile(argv[2]));
  camera.min_accuracy = 0.7;
  camera.max_latency_s = 0.02;
  camera.frame_rate = 30;
  rt::Application background = camera;
  background.name = "background";
  background.max_latency_s = 1;
  background.frame_rate = 0;
  const uint64_t largest = camera.capacities.back().memory_bytes;

  rt::HostOptions options;
  options.device.memory_bytes = 2 * largest;
  options.on_decision = [](const rt::Decided& decided) {
    std::printf("%.2f s: %s\n", decided.at_s, decided.event.c_str());
    for (size_t i = 0; i < decided.who.size(); ++i) {
      const rt::Assignment& given = decided.decision.assignments[i];
      std::printf("  %s: capacity %d, %.0f %% of the processor\n",
                  decided.problem.applications[i].name.c_str(), given.capacity, 100 * given.share);
    }
  };
  const auto host = value_of(rt::Host::make(options));
  const rt::ApplicationId eye = value_of(host->add(argv[1], camera));
  const rt::ApplicationId task = value_of(host->add(argv[1], background));

  // An image, normalised as in training; here a grey one.
  const std::vector<float> image(value_of(rt::Model::open(argv[1], {})).input_floats(), 0.5F);
  const float* input = image.data();
  for (int frame = 0; frame < 60; ++frame) {
    if (frame == 30 && !host->set_device({2 * largest / 3}).ok()) return 1;
    // The outputs come in a thread of the application's own.
    const rt::Status sent = host->submit(eye, &input, [](const rt::Frame& seen) {
      if (!seen.status.ok()) std::fprintf(stderr, "%s\n", seen.status.text().c_str());
    });
    if (!sent.ok() && sent.code() != rt::StatusCode::busy) {
      std::fprintf(stderr, "%s\n", sent.text().c_str());
    }
    host->submit(task, &input).wait();  // or in the future
    std::this_thread::sleep_for(std::chrono::milliseconds(33));
  }
  for (const rt::ApplicationId id : {eye, task}) {
    const rt::ApplicationReport told = value_of(host->report(id));
    std::printf("%s: %llu frames, %llu late, %llu dropped, %.3f s of the processor\n",
                told.name.c_str(), static_cast<unsigned long long>(told.done),
                static_cast<unsigned long long>(told.late),
                static_cast<unsigned long long>(told.dropped), told.busy_s);
  }
}
