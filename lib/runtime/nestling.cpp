#include "runtime/nestling.h"

#include <algorithm>
#include <string>

#include "runtime/c_error.h"
#include "runtime/export.h"
#include "runtime/host.h"
#include "runtime/model.h"
#include "runtime/profile.h"

using nestling::runtime::Frame;
using nestling::runtime::Host;
using nestling::runtime::HostOptions;
using nestling::runtime::LayerTime;
using nestling::runtime::Model;
using nestling::runtime::ModelOptions;
using nestling::runtime::PixelFormat;
using nestling::runtime::Result;
using nestling::runtime::Status;

struct nestling_model {
  Model model;
};

struct nestling_host {
  std::unique_ptr<Host> host;
};

namespace {
thread_local std::string last_error;
}

namespace nestling::runtime {

bool told(const Status& status) {
  if (!status.ok()) last_error = status.text();
  return status.ok();
}

}  // namespace nestling::runtime

namespace {

using nestling::runtime::told;

nestling_status code(const Status& status) { return static_cast<nestling_status>(status.code()); }

nestling_status tell(const Status& status) {
  told(status);
  return code(status);
}

ModelOptions wanted(const nestling_model_options* options) {
  if (options == nullptr) return {};
  return {.threads = options->threads,
          .workers = {options->run, options->self},
          .verify = options->verify != 0,
          .partial = options->partial != 0,
          .refinable = options->refinable != 0,
          .accelerator = reinterpret_cast<nestling::runtime::Accelerator*>(options->gpu),
          .fall_back = options->fall_back != 0,
          .tuning = options->tuning != nullptr ? options->tuning : "",
          .log = {options->log, options->log_self}};
}

nestling_model* opened(Result<Model> result) {
  return told(result.status()) ? new nestling_model{std::move(result.value())} : nullptr;
}

size_t write_shape(const std::vector<uint32_t>& from, uint32_t* to, size_t most) {
  std::copy_n(from.begin(), std::min(most, from.size()), to);
  return from.size();
}

}  // namespace

extern "C" {

NESTLING_API const char* nestling_error(void) { return last_error.c_str(); }

NESTLING_API void nestling_model_defaults(nestling_model_options* options) {
  const ModelOptions usual;
  *options = {usual.threads,
              usual.verify ? 1 : 0,
              usual.partial ? 1 : 0,
              usual.refinable ? 1 : 0,
              nullptr,
              nullptr,
              nullptr,
              usual.fall_back ? 1 : 0,
              nullptr,
              nullptr,
              nullptr};
}

NESTLING_API nestling_model* nestling_model_open(const char* path,
                                                 const nestling_model_options* options) {
  return opened(Model::open(path, wanted(options)));
}

NESTLING_API nestling_model* nestling_model_open_descriptor(int descriptor, uint64_t offset,
                                                            uint64_t bytes,
                                                            const nestling_model_options* options) {
  return opened(Model::open_descriptor(descriptor, offset, bytes, wanted(options)));
}

NESTLING_API nestling_model* nestling_model_open_memory(const void* data, uint64_t bytes,
                                                        const nestling_model_options* options) {
  return opened(Model::open_memory(data, bytes, wanted(options)));
}

NESTLING_API void nestling_model_close(nestling_model* model) { delete model; }

NESTLING_API uint32_t nestling_model_capacities(const nestling_model* model) {
  return model->model.header().capacities();
}

NESTLING_API uint32_t nestling_model_available(const nestling_model* model) {
  return model->model.available();
}

NESTLING_API nestling_status nestling_model_refresh(nestling_model* model) {
  return tell(model->model.refresh());
}

NESTLING_API nestling_status nestling_model_gpu_failure(const nestling_model* model) {
  return tell(model->model.accelerator_failure());
}

NESTLING_API uint32_t nestling_model_capacity(const nestling_model* model) {
  return model->model.capacity();
}

NESTLING_API nestling_status nestling_model_set_capacity(nestling_model* model, uint32_t capacity) {
  return tell(model->model.set_capacity(capacity));
}

NESTLING_API void nestling_model_memory(const nestling_model* model, uint64_t* weights_bytes,
                                        uint64_t* activation_bytes) {
  const auto footprint = model->model.footprint();
  *weights_bytes = footprint.weights_bytes;
  *activation_bytes = footprint.activation_bytes;
}

NESTLING_API size_t nestling_model_inputs(const nestling_model* model) {
  return model->model.header().inputs.size();
}

NESTLING_API size_t nestling_model_outputs(const nestling_model* model) {
  return model->model.header().outputs.size();
}

NESTLING_API size_t nestling_model_input_shape(const nestling_model* model, size_t i,
                                               uint32_t* shape, size_t most) {
  return write_shape(model->model.input_shape(i), shape, most);
}

NESTLING_API size_t nestling_model_output_shape(const nestling_model* model, size_t i,
                                                uint32_t* shape, size_t most) {
  return write_shape(model->model.output_shape(i), shape, most);
}

NESTLING_API size_t nestling_model_classes(const nestling_model* model) {
  return model->model.header().classes.size();
}

NESTLING_API const char* nestling_model_class(const nestling_model* model, size_t i) {
  return model->model.header().classes[i].c_str();
}

NESTLING_API nestling_status nestling_model_prepare(const nestling_model* model,
                                                    const nestling_pixels* image, float* input) {
  return tell(model->model.prepare({image->data, image->width, image->height, image->row_bytes,
                                    static_cast<PixelFormat>(image->format)},
                                   input));
}

NESTLING_API nestling_status nestling_model_run(nestling_model* model, const float* const* inputs,
                                                float* const* outputs) {
  return tell(model->model.run(inputs, outputs));
}

NESTLING_API nestling_status nestling_model_time(nestling_model* model, const float* const* inputs,
                                                 float* const* outputs, nestling_layer* layers,
                                                 size_t most, size_t* count) {
  std::vector<LayerTime> times;
  const Status status = model->model.run(inputs, outputs, times);
  for (size_t i = 0; i < std::min(most, times.size()); ++i) {
    layers[i] = {model->model.header().nodes[times[i].node].op.c_str(), times[i].begin_s,
                 times[i].end_s};
  }
  *count = times.size();
  return tell(status);
}

NESTLING_API nestling_status nestling_model_run_at(nestling_model* model, uint32_t capacity,
                                                   const float* const* inputs,
                                                   float* const* outputs) {
  return tell(model->model.run_at(capacity, inputs, outputs));
}

NESTLING_API nestling_status nestling_model_refine(nestling_model* model, float* const* outputs) {
  return tell(model->model.refine(outputs));
}

NESTLING_API void nestling_model_cancel(nestling_model* model) { model->model.cancel(); }

NESTLING_API void nestling_host_defaults(nestling_host_options* options) {
  const HostOptions usual;
  *options = {usual.device.memory_bytes,
              usual.device.processor,
              nullptr,
              usual.device.accelerator,
              usual.threads,
              NESTLING_MIN_TOTAL_COST,
              usual.queue,
              usual.feedback ? 1 : 0,
              usual.watch_memory ? 1 : 0,
              nullptr};
}

NESTLING_API void nestling_application_defaults(nestling_application* application) {
  const nestling::runtime::Application usual;
  *application = {"",
                  nullptr,
                  0,
                  usual.min_accuracy,
                  usual.max_latency_s,
                  usual.alpha,
                  usual.frame_rate,
                  usual.priority,
                  0};
}

NESTLING_API size_t nestling_read_profile(const char* path, nestling_capacity* capacities,
                                          size_t most) {
  auto read = nestling::runtime::read_profile(path);
  if (!told(read.status())) return 0;
  const auto& costs = read.value();
  for (size_t k = 0; k < costs.size() && k < most; ++k) {
    const auto& c = costs[k];
    capacities[k] = {c.accuracy, c.latency_s, c.memory_bytes, c.page_in_s};
  }
  return costs.size();
}

NESTLING_API nestling_host* nestling_host_open(const nestling_host_options* options) {
  HostOptions wanted;
  wanted.device = {options->memory_bytes, options->processor, options->gpu_part};
  wanted.accelerator = reinterpret_cast<nestling::runtime::Accelerator*>(options->gpu);
  wanted.threads = options->threads;
  wanted.decision.policy = static_cast<nestling::runtime::Policy>(options->policy);
  wanted.queue = options->queue;
  wanted.feedback = options->feedback != 0;
  wanted.watch_memory = options->watch_memory != 0;
  if (options->tuning != nullptr) wanted.tuning = options->tuning;
  auto made = Host::make(wanted);
  if (!told(made.status())) return nullptr;
  return new nestling_host{std::move(made.value())};
}

NESTLING_API void nestling_host_close(nestling_host* host) { delete host; }

NESTLING_API uint64_t nestling_add(nestling_host* host, const char* package,
                                   const nestling_application* application) {
  nestling::runtime::Application wanted;
  wanted.name = application->name;
  for (size_t k = 0; k < application->capacity_count; ++k) {
    const nestling_capacity& c = application->capacities[k];
    wanted.capacities.push_back({c.accuracy, c.latency_s, c.memory_bytes, c.page_in_s});
  }
  wanted.min_accuracy = application->min_accuracy;
  wanted.max_latency_s = application->max_latency_s;
  wanted.alpha = application->alpha;
  wanted.frame_rate = application->frame_rate;
  wanted.priority = application->priority;
  if (application->on_gpu != 0) wanted.processor = nestling::runtime::Processor::accelerator;
  auto added = host->host->add(package, wanted);
  return told(added.status()) ? added.value() : 0;
}

NESTLING_API int nestling_remove(nestling_host* host, uint64_t application) {
  return told(host->host->remove(application));
}

NESTLING_API int nestling_set_goals(nestling_host* host, uint64_t application, double min_accuracy,
                                    double max_latency_s) {
  return told(host->host->set_goals(application, min_accuracy, max_latency_s));
}

NESTLING_API int nestling_set_device(nestling_host* host, uint64_t memory_bytes, double processor,
                                     double gpu_part) {
  return told(host->host->set_device({memory_bytes, processor, gpu_part}));
}

NESTLING_API void nestling_low_memory(nestling_host* host, double seconds) {
  host->host->low_memory(seconds);
}

NESTLING_API nestling_status nestling_submit(nestling_host* host, uint64_t application,
                                             const float* const* inputs, nestling_callback done,
                                             void* user) {
  const Status status = host->host->submit(application, inputs, [done, user](const Frame& frame) {
    std::vector<const float*> outputs;
    for (const auto& output : frame.outputs) outputs.push_back(output.data());
    const nestling_frame given{
        frame.number,   code(frame.status), frame.status.text().c_str(),
        frame.capacity, frame.latency_s,    outputs.empty() ? nullptr : outputs.data(),
        outputs.size()};
    if (done != nullptr) done(&given, user);
  });
  return tell(status);
}

NESTLING_API int nestling_tell(nestling_host* host, uint64_t application, nestling_report* report) {
  auto given = host->host->report(application);
  if (!told(given.status())) return 0;
  const auto& r = given.value();
  *report = {r.capacity,
             r.assignment.share,
             r.status.ok() ? 0 : 1,
             r.submitted,
             r.done,
             r.dropped,
             r.refused,
             r.failed,
             r.late,
             r.busy_s,
             r.accuracy,
             r.memory_bytes};
  return 1;
}

}  // extern "C"
