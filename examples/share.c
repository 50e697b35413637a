/* One application on a host, from C. Prints the first output and the capacity that computed it.
 *   share_c MODEL.nest PROFILE.json INPUT_FLOATS */
#include <runtime/nestling.h>
#include <stdio.h>
#include <stdlib.h>

/* In a thread of the application's own; closing the host waits for it. */
static void show(const nestling_frame* frame, void* user) {
  (void)user;
  if (frame->status != NESTLING_OK) {
    fprintf(stderr, "%s\n", frame->error);
    return;
  }
  printf("capacity %d, first output %.4f\n", frame->capacity, (double)frame->outputs[0][0]);
}

static int failed(void) {
  fprintf(stderr, "%s\n", nestling_error());
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: share_c MODEL.nest PROFILE.json INPUT_FLOATS\n");
    return 2;
  }
  nestling_capacity capacities[64];
  nestling_application camera;
  nestling_application_defaults(&camera);
  camera.name = "camera";
  camera.capacities = capacities;
  camera.capacity_count = nestling_read_profile(argv[2], capacities, 64);
  if (camera.capacity_count == 0) return failed();

  nestling_host_options options;
  nestling_host_defaults(&options);
  options.memory_bytes = capacities[camera.capacity_count - 1].memory_bytes;
  nestling_host* host = nestling_host_open(&options);
  if (host == NULL) return failed();
  const uint64_t id = nestling_add(host, argv[1], &camera);
  if (id == 0) return failed();

  float* image = calloc((size_t)strtoul(argv[3], NULL, 10), sizeof(float));
  const float* inputs[] = {image};
  if (nestling_submit(host, id, inputs, show, NULL) != NESTLING_OK) return failed();
  nestling_report report;
  do {
    if (!nestling_tell(host, id, &report)) return failed();
  } while (report.done == 0 && report.lost == 0);
  free(image);
  nestling_host_close(host);
  return 0;
}
