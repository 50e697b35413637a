// What the runtime has to say beside the results of its calls.
#pragma once

namespace nestling::runtime {

struct Log {
  // Called with a sentence, without the end of a line: a capacity that was reached and what it
  // takes, why layers run on the CPU from now on, or that a tuning file cannot be written. In the
  // thread whose call led to it, while the model is busy: so not to call the model.
  void (*write)(void* self, const char* sentence) = nullptr;  // none: it is silent
  void* self = nullptr;
};

}  // namespace nestling::runtime
