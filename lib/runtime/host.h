// The online half of NestDNN on a device: several applications, each with a package, share the
// processors and the memory.
//
//   auto host = Host::make({.device = {.memory_bytes = 64 << 20}, .threads = 2});
//   auto camera = host->add("camera.nest", goals);  // an Application of schedule.h
//   host->submit(camera.value(), &image, [](Frame frame) { show(frame.outputs[0]); });
//
// Whatever changes (an application comes, goes or changes its goals; memory, the processor), the
// host decides anew (schedule.h), and changes capacities in the background: larger ones are paged
// in while the old one goes on, and the change itself comes between two inferences. Memory is given
// back before anybody else gets it. All applications share one pool of threads; a fair queue
// decides after every few layers whose go next, so a share of the processor is a weight, and what
// one application leaves goes to the others.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "runtime/backend.h"
#include "runtime/export.h"
#include "runtime/schedule.h"
#include "runtime/status.h"

namespace nestling::runtime {

using ApplicationId = uint64_t;  // never used twice by a host

// What came of a frame.
struct Frame {
  uint64_t number = 0;  // of the application's frames that were accepted, from 1
  Status status;
  int capacity = 0;      // that it was computed with
  double latency_s = 0;  // from submit to the end of its computation
  // In the network's order, each in the order of its axes; none if the status is not ok.
  std::vector<std::vector<float>> outputs;
};

// Called in a thread of the application's own: one that is slow or blocks holds up its own frames
// only, and one that throws loses its frame only. It may call the host, except remove() of itself,
// or of another that at the same time removes this one.
using FrameCallback = std::function<void(Frame)>;

// What an application was given since it was added.
struct ApplicationReport {
  std::string name;
  int capacity = 0;        // that serves it now
  Assignment assignment;   // of the last decision; the capacity may still be on its way
  Status status;           // not ok: it failed, is not served any more, and can only be removed
  uint64_t submitted = 0;  // all calls of submit: the sum of the four below and those on their way
  uint64_t done = 0;
  uint64_t dropped = 0;  // refused: HostOptions::queue were on their way
  uint64_t refused = 0;  // refused: it was not served, or had failed
  uint64_t failed = 0;   // accepted, but the package changed on disk, or it was no longer served
  uint64_t late = 0;     // of those done, later than max_latency_s
  uint64_t callback_threw = 0;  // of those done
  double busy_s = 0;            // what it had of the processor
  double accuracy = 0;          // mean over its frames, by the profile
  uint64_t switches = 0;        // changes of capacity while it was served
  uint64_t page_in_bytes = 0;
  uint64_t memory_bytes = 0;  // weights and activations, now
  double latency_ratio = 1;   // measured to profiled latency, if feedback is on
};

// A decision that was made, for observers.
struct Decided {
  double at_s = 0;  // since the host was made
  std::string event;
  Problem problem;
  std::vector<ApplicationId> who;  // of the problem's applications
  Decision decision;
};

struct HostOptions {
  Device device;    // the processors: what of them all applications together take at most
  int threads = 1;  // of the pool
  // A second processor, such as a GPU (vulkan/device.h), which lives longer than the host; none if
  // null. Applications that ask for it (Application::processor) share it as the others share the
  // CPU. Layers that it has no kernel for run on the CPU, in one thread beside the pool.
  Accelerator* accelerator = nullptr;
  Options decision = {};
  bool verify = true;  // the checksum of each segment when it is first paged in
  // A file in which models have kept how this device computes their layers fastest
  // (ModelOptions::tuning): what it says of a package, when that is added, is done, where the CPU
  // runs it. A host measures nothing itself and leaves the file alone.
  std::string tuning = {};
  size_t queue = 3;  // most frames of an application between submit and the callback's end
  // Where latencies depart from the profile for long (other processes, heat), an application's
  // latencies are corrected by the ratio, and decisions follow. Off, decisions depend on what is
  // told alone.
  bool feedback = true;
  // Where Linux says that memory is short (processes wait for it, or the control group is near its
  // limit), low_memory() is called, as long as it is.
  bool watch_memory = true;
  // Called in the thread whose call or measurement led to the decision, one decision after the
  // other. It may ask for reports, but change nothing, and must not throw.
  std::function<void(const Decided&)> on_decision = {};
};

// Thread-safe. The destructor waits for the callbacks that run. Bus errors of packages that change
// on disk are caught, with a handler of SIGBUS that stays installed (lost_file.h): such an
// application fails, the others do not notice.
class NESTLING_API Host {
 public:
  static Result<std::unique_ptr<Host>> make(const HostOptions& options);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // `application` has as many capacities as the package; accuracies and latencies as the profile
  // has them. Where memory_bytes is less than the package needs, this is what counts.
  Result<ApplicationId> add(const char* package, const Application& application);
  // Its frames that wait fail; waits for its callback. Not from its own callback.
  Status remove(ApplicationId id);
  // The capacities stay.
  Status set_goals(ApplicationId id, double min_accuracy, double max_latency_s);
  Status set_device(const Device& device);

  // What `changes` adds, removes and sets is decided about once, at its end. Not from another one.
  void together(const std::function<void()>& changes);

  // The system asks for memory: the budget is three quarters of what is used now, but never less
  // than the smallest capacities of all, until `seconds` have passed without another call.
  void low_memory(double seconds = 10);

  // Copies the inputs (as Model::run has them) and returns; the callback comes later, once for
  // every frame that is accepted, in their order. A frame is not accepted, and has no callback, if
  // too many are on their way (busy) or the application is not served (not_served).
  Status submit(ApplicationId id, const float* const* inputs, FrameCallback done);

  // The same for those who would rather wait. A frame that is not accepted is there at once.
  std::future<Frame> submit(ApplicationId id, const float* const* inputs) {
    auto promise = std::make_shared<std::promise<Frame>>();
    std::future<Frame> result = promise->get_future();
    Frame refused;
    refused.status =
        submit(id, inputs, [promise](Frame frame) { promise->set_value(std::move(frame)); });
    if (!refused.status.ok()) promise->set_value(std::move(refused));
    return result;
  }

  Result<ApplicationReport> report(ApplicationId id) const;
  uint64_t memory_bytes() const;  // weights and activations of all, now

 private:
  class Impl;
  explicit Host(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nestling::runtime
