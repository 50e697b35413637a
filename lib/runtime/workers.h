// Threads that an application already has, for a model to run on instead of its own.
#pragma once

#include <cstddef>

namespace nestling::runtime {

struct Workers {
  // Calls work(context, i) once for every i below `count`, in any threads and any order, at most as
  // many at a time as the model has threads (ModelOptions), and returns when all calls have. Called
  // by the thread that runs the model, several times in an inference. Must not throw.
  void (*run)(void* self, size_t count, void (*work)(void* context, size_t i),
              void* context) = nullptr;  // none: the model makes threads
  void* self = nullptr;
};

}  // namespace nestling::runtime
