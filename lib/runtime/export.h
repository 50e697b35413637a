// What a shared library of the runtime shows; everything else in it is hidden.
#pragma once

#define NESTLING_API __attribute__((visibility("default")))
