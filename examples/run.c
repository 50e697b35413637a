/* One model from C: prepares a grey picture, runs the largest capacity, prints the first output.
 *   run_c MODEL.nest */
#include <runtime/nestling.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(void) {
  fprintf(stderr, "%s\n", nestling_error());
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: run_c MODEL.nest\n");
    return 2;
  }
  nestling_model* model = nestling_model_open(argv[1], NULL);
  if (model == NULL) return failed();
  const uint32_t largest = nestling_model_capacities(model);
  if (nestling_model_set_capacity(model, largest) != NESTLING_OK) return failed();

  uint32_t in[4], out[8];
  if (nestling_model_input_shape(model, 0, in, 4) != 4) return 1;
  size_t outputs = 1;
  const size_t axes = nestling_model_output_shape(model, 0, out, 8);
  for (size_t i = 0; i < axes; ++i) outputs *= out[i];
  float* input = malloc(sizeof(float) * in[1] * in[2] * in[3]);
  float* output = malloc(sizeof(float) * outputs);

  static uint8_t picture[64 * 48];
  memset(picture, 128, sizeof picture);
  const nestling_pixels pixels = {picture, 64, 48, 0, NESTLING_GREY};
  if (nestling_model_prepare(model, &pixels, input) != NESTLING_OK) return failed();
  const float* const given = input;
  if (nestling_model_run(model, &given, &output) != NESTLING_OK) return failed();
  printf("%u capacities, first output %.4f\n", largest, (double)output[0]);

  nestling_layer layers[4];
  size_t count = 0;
  if (nestling_model_time(model, &given, &output, layers, 4, &count) != NESTLING_OK) {
    return failed();
  }
  printf("%zu layers, the first is a %s\n", count, layers[0].op);
  free(input);
  free(output);
  nestling_model_close(model);
  return 0;
}
