/* One model (model.h) and the host of several (host.h) for C, and for languages that call C. Means
 * the same as there, call by call:
 *
 *   nestling_model* model = nestling_model_open("model.nest", NULL);
 *   nestling_model_set_capacity(model, nestling_model_capacities(model));
 *   nestling_model_prepare(model, &picture, input);
 *   nestling_model_run(model, &input, &output);
 *   nestling_model_close(model);
 *
 *   nestling_host_options options;
 *   nestling_host_defaults(&options);
 *   options.memory_bytes = 64 << 20;
 *   nestling_host* host = nestling_host_open(&options);
 *   nestling_application application;
 *   nestling_application_defaults(&application);
 *   ... its name, goals, and the capacities of its profile ...
 *   uint64_t camera = nestling_add(host, "camera.nest", &application);
 *   nestling_submit(host, camera, inputs, show, NULL);
 *   nestling_host_close(host);
 *
 * Functions that can fail return a status, or 0 or NULL on failure, and say why in
 * nestling_error(). All may be called from several threads. */
#ifndef NESTLING_RUNTIME_NESTLING_H
#define NESTLING_RUNTIME_NESTLING_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* StatusCode of status.h. */
typedef enum {
  NESTLING_OK = 0,
  NESTLING_IO = 1,
  NESTLING_BAD_FORMAT = 2,
  NESTLING_BAD_CHECKSUM = 3,
  NESTLING_BAD_ARGUMENT = 4,
  NESTLING_NO_MEMORY = 5,
  NESTLING_BUSY = 6,
  NESTLING_NOT_SERVED = 7,
  NESTLING_CANCELLED = 8,
  NESTLING_DEVICE = 9
} nestling_status;

/* Of the calling thread's last call that failed. */
const char* nestling_error(void);

/* ---- One model ---- */

typedef struct nestling_model nestling_model;
typedef struct nestling_gpu nestling_gpu; /* vulkan/nestling_gpu.h */

typedef struct {
  int threads;
  int verify;    /* 0: checksums are not compared */
  int partial;   /* not 0: the file may still arrive */
  int refinable; /* not 0: nestling_model_run_at and nestling_model_refine can be used */
  /* Threads of the application's own (workers.h); NULL: the model makes its threads. */
  void (*run)(void* self, size_t count, void (*work)(void* context, size_t i), void* context);
  void* self;
  nestling_gpu* gpu; /* on which layers run; outlives the model. NULL: the CPU */
  int fall_back;     /* not 0: if the GPU fails, they run on the CPU from then on */
  void (*log)(void* log_self, const char* sentence); /* what happens (log.h); NULL: silent */
  void* log_self;
  const char* tuning; /* a file, as in ModelOptions of model.h; NULL: none */
} nestling_model_options;

/* PixelFormat of pixels.h. */
typedef enum {
  NESTLING_GREY = 0,
  NESTLING_RGB = 1,
  NESTLING_BGR = 2,
  NESTLING_RGBA = 3,
  NESTLING_BGRA = 4
} nestling_pixel_format;

typedef struct {
  const uint8_t* data;
  uint32_t width, height;
  size_t row_bytes; /* 0: rows follow each other */
  nestling_pixel_format format;
} nestling_pixels;

/* One layer of an inference; seconds since its beginning. */
typedef struct {
  const char* op; /* lives as long as the model */
  double begin_s, end_s;
} nestling_layer;

/* One thread, checksums, a file that is whole, the CPU. */
void nestling_model_defaults(nestling_model_options* options);

/* With `options` NULL the defaults. */
nestling_model* nestling_model_open(const char* path, const nestling_model_options* options);
nestling_model* nestling_model_open_descriptor(int descriptor, uint64_t offset, uint64_t bytes,
                                               const nestling_model_options* options);
nestling_model* nestling_model_open_memory(const void* data, uint64_t bytes,
                                           const nestling_model_options* options);
void nestling_model_close(nestling_model* model); /* NULL is no model, and fine */

uint32_t nestling_model_capacities(const nestling_model* model);
uint32_t nestling_model_available(const nestling_model* model);
nestling_status nestling_model_refresh(nestling_model* model);
uint32_t nestling_model_capacity(const nestling_model* model);
/* Why the model fell back to the CPU (nestling_error); NESTLING_OK if it did not. */
nestling_status nestling_model_gpu_failure(const nestling_model* model);
nestling_status nestling_model_set_capacity(nestling_model* model, uint32_t capacity);
void nestling_model_memory(const nestling_model* model, uint64_t* weights_bytes,
                           uint64_t* activation_bytes);

size_t nestling_model_inputs(const nestling_model* model);
size_t nestling_model_outputs(const nestling_model* model);
/* Writes at most `most` sizes of the i-th input's or output's axes; returns how many it has. */
size_t nestling_model_input_shape(const nestling_model* model, size_t i, uint32_t* shape,
                                  size_t most);
size_t nestling_model_output_shape(const nestling_model* model, size_t i, uint32_t* shape,
                                   size_t most);
size_t nestling_model_classes(const nestling_model* model);
const char* nestling_model_class(const nestling_model* model, size_t i);

nestling_status nestling_model_prepare(const nestling_model* model, const nestling_pixels* image,
                                       float* input);
nestling_status nestling_model_run(nestling_model* model, const float* const* inputs,
                                   float* const* outputs);
/* The same, and writes when the first `most` layers ran; `*count` becomes how many there are. */
nestling_status nestling_model_time(nestling_model* model, const float* const* inputs,
                                    float* const* outputs, nestling_layer* layers, size_t most,
                                    size_t* count);
nestling_status nestling_model_run_at(nestling_model* model, uint32_t capacity,
                                      const float* const* inputs, float* const* outputs);
nestling_status nestling_model_refine(nestling_model* model, float* const* outputs);
void nestling_model_cancel(nestling_model* model);

/* ---- The host of several ---- */

typedef enum {
  NESTLING_MIN_TOTAL_COST = 0,
  NESTLING_MIN_MAX_COST = 1,
  NESTLING_FIXED = 2
} nestling_policy;

typedef struct nestling_host nestling_host;

typedef struct {
  uint64_t memory_bytes; /* the budget of all applications together */
  double processor;      /* what of the CPU they may use, from 0 to 1 */
  nestling_gpu* gpu;     /* a second processor, which outlives the host; NULL: none */
  double gpu_part;       /* what of it they may use */
  int threads;
  nestling_policy policy;
  size_t queue;       /* most frames of an application on their way */
  int feedback;       /* 0: decisions depend on profiles alone */
  int watch_memory;   /* 0: what the system says of its memory is ignored */
  const char* tuning; /* a file, as in HostOptions of host.h; NULL: none */
} nestling_host_options;

/* A capacity, as its profile has it. */
typedef struct {
  double accuracy;  /* from 0 to 1 */
  double latency_s; /* of one inference with its whole processor */
  uint64_t memory_bytes;
  double page_in_s; /* from the capacity below */
} nestling_capacity;

typedef struct {
  const char* name;
  const nestling_capacity* capacities; /* the smallest first, as many as the package has */
  size_t capacity_count;
  double min_accuracy; /* from 0 to 1 */
  double max_latency_s;
  double alpha;      /* of a second above max_latency_s, against an accuracy of 1 */
  double frame_rate; /* 0: none in particular */
  double priority;   /* its cost counts so often */
  int on_gpu;        /* 1: it runs on the host's GPU, of which its profile is */
} nestling_application;

/* What came of a frame; exists during the callback only. */
typedef struct {
  uint64_t number; /* of the application's frames that were accepted, from 1 */
  nestling_status status;
  const char* error; /* a sentence; empty if the status is NESTLING_OK */
  int capacity;
  double latency_s;
  const float* const* outputs; /* in the network's order; NULL if the status is not NESTLING_OK */
  size_t output_count;
} nestling_frame;

typedef struct {
  int capacity; /* that serves it now; 0: none */
  double share; /* of its processor, as decided last */
  int failed;   /* it is served no more, and can only be removed */
  uint64_t submitted, done, dropped, refused, lost, late;
  double busy_s;   /* what it had of the processor */
  double accuracy; /* mean over its frames */
  uint64_t memory_bytes;
} nestling_report;

typedef void (*nestling_callback)(const nestling_frame* frame, void* user);

/* Reads at most `most` capacities of a profile (profile.h); returns how many it has. */
size_t nestling_read_profile(const char* path, nestling_capacity* capacities, size_t most);

/* One thread, no memory, MinTotalCost, 3 frames, feedback, and the system's memory is watched. */
void nestling_host_defaults(nestling_host_options* options);
/* An application without capacities, alpha and priority 1, a latency of 1 s. */
void nestling_application_defaults(nestling_application* application);

nestling_host* nestling_host_open(const nestling_host_options* options);
void nestling_host_close(nestling_host* host); /* NULL is no host, and fine */

uint64_t nestling_add(nestling_host* host, const char* package,
                      const nestling_application* application); /* its number, above 0 */
int nestling_remove(nestling_host* host, uint64_t application);
int nestling_set_goals(nestling_host* host, uint64_t application, double min_accuracy,
                       double max_latency_s);
int nestling_set_device(nestling_host* host, uint64_t memory_bytes, double processor,
                        double gpu_part);
void nestling_low_memory(nestling_host* host, double seconds);

/* `inputs` has as many arrays as the network has inputs; they are copied. The callback comes later,
 * in a thread of the application's own, if this is NESTLING_OK, and otherwise never. */
nestling_status nestling_submit(nestling_host* host, uint64_t application,
                                const float* const* inputs, nestling_callback done, void* user);
int nestling_tell(nestling_host* host, uint64_t application, nestling_report* report);

#if defined(__cplusplus)
}
#endif
#endif
