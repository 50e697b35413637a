// The implementation of stb's image scaling, apart because its code is not ours to lint.
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#include <stb/stb_image_resize.h>
