#include "package/step.h"

namespace nestling {

// Over the elements of an image it is a convolution with a window as large as the image.
void lower(const Gemm&, LoweringStep& step) {
  runtime::NodeSpec spec = spec_of("linear");
  if (const Shape* image = step.flattened_image()) {
    spec.op = "conv";
    spec.kernel = narrow(Extent{(*image)[2], (*image)[3]});
  } else if (step.out_shape().size() == 4) {
    step.refuse("a fully connected layer on four axes is not supported in a package");
  }
  step.append_layer(std::move(spec), step.weights());
}

}  // namespace nestling
