// What kernels that work in each channel by itself are told.
layout(push_constant) uniform Push {
  uint x, y, addend, scale, shift, weights;  // floats of the arena; addend: kNone
  uint x_stride, y_stride;                   // of pixels
  int x_height, x_width, y_width;
  uint y_pixels, channels, weights_row;
  int kernel_height, kernel_width, stride_y, stride_x, dilation_y, dilation_x;
  int top, left, bottom, right;
  float low, high;
  uint count_padding;
};
