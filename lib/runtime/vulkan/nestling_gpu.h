/* GPUs (device.h) for C, and for languages that call C:
 *
 *   nestling_gpu* gpu = nestling_gpu_open(0, NULL);
 *   nestling_model_options options;
 *   nestling_model_defaults(&options);
 *   options.gpu = gpu;  // NULL: the CPU; of a model, or of a host
 *   nestling_model* model = nestling_model_open("model.nest", &options);
 *   ...
 *   nestling_model_close(model);
 *   nestling_gpu_close(gpu);
 *
 * Failures are told as in nestling.h. */
#ifndef NESTLING_RUNTIME_VULKAN_NESTLING_GPU_H
#define NESTLING_RUNTIME_VULKAN_NESTLING_GPU_H

#include "../nestling.h"

#if defined(__cplusplus)
extern "C" {
#endif

/* Those that can run models; 0 if there are none, or no Vulkan. */
size_t nestling_gpu_count(void);

/* With `cache` not NULL: the file of DeviceOptions. */
nestling_gpu* nestling_gpu_open(size_t number, const char* cache);
void nestling_gpu_close(nestling_gpu* gpu); /* NULL is no GPU, and fine */

const char* nestling_gpu_name(const nestling_gpu* gpu); /* lives as long as the GPU */
nestling_status nestling_gpu_save_cache(nestling_gpu* gpu);

#if defined(__cplusplus)
}
#endif
#endif
