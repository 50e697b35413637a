#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

// What the thread sanitizer cannot know: the state of a future is given back by code of libstdc++
// that it does not see into; and a page that a file has lost is replaced while others may read it,
// which is the point.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__future_base\n"
         "race:std::promise\n"
         "race:on_bus_error\n";
}
