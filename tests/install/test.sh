#!/usr/bin/env bash
# Installs BUILD into a prefix and uses it as a user does: the programs, find_package, pkg-config,
# and the two files that tools/single_file.mjs makes of the runtime.
#   test.sh BUILD PACKAGE.nest
set -euo pipefail
build=$1 package=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
examples=$root/examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/usr" > /dev/null
"$work/usr/bin/nestling-run" "$package" --bench --runs 1 --quiet --json > /dev/null
cmake -G Ninja -S "$examples" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/usr" \
  -DCMAKE_C_FLAGS="-Wall -Wextra -Wpedantic -Werror" -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" > /dev/null
cmake --build "$work/build" > /dev/null
export PKG_CONFIG_PATH LD_LIBRARY_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/usr" -name nestling.pc)")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
# shellcheck disable=SC2046
c++ -std=c++20 "$examples/run.cpp" -o "$work/run_pkg" $(pkg-config --cflags --libs nestling)
expected=$("$work/build/run" "$package")
[[ $expected == "3 capacities, first output "* ]]
[ "$("$work/build/run_shared" "$package")" = "$expected" ]
[ "$("$work/run_pkg" "$package")" = "$expected" ]
# One model from C: its picture is of other pixels, so only the form of what it prints is known.
from_c=$("$work/build/run_c" "$package")
[[ $from_c == "3 capacities, first output "*"layers, the first is a conv" ]]
[[ $("$work/build/run_c" "$work/build/run_c" 2>&1) == *"is not a .nest package" ]]
# The runtime as two files.
node "$root/tools/single_file.mjs" "$work/single" > /dev/null
(
  cd "$work/single"
  for program in run.cpp run.c; do
    sed 's|<runtime/[a-z]*\.h>|"nestling.h"|' "$examples/$program" > $program
  done
  c++ -std=c++20 -O1 -march=native -fno-rtti -Wall -Wextra -Werror -c nestling.cc
  cc -std=c99 -Wall -Wextra -Wpedantic -Werror -c run.c -o run_c.o
  c++ -std=c++20 -Wall -Wextra -Werror run.cpp nestling.o -o run
  c++ run_c.o nestling.o -o run_c
)
[ "$("$work/single/run" "$package")" = "$expected" ]
[ "$("$work/single/run_c" "$package")" = "$from_c" ]
# A package compiled into a program.
"$work/usr/bin/nestling-convert" "$package" --to c --out "$work/my-net.c" --quiet
cat > "$work/embedded.c" << 'C'
#include "my-net.h"
#include <runtime/nestling.h>
#include <stdio.h>
int main(void) {
  nestling_model* model = nestling_model_open_memory(my_net, my_net_bytes, NULL);
  if (model == NULL || nestling_model_set_capacity(model, 3) != NESTLING_OK) return 1;
  printf("%u capacities in %zu bytes\n", nestling_model_capacities(model), my_net_bytes);
  nestling_model_close(model);
  return 0;
}
C
# shellcheck disable=SC2046
cc -std=c99 -Wall -Wextra -Wpedantic -Werror "$work/embedded.c" "$work/my-net.c" -o "$work/embedded" \
  $(pkg-config --cflags --libs nestling)
[ "$("$work/embedded")" = "3 capacities in $(stat -c %s "$package") bytes" ]
# On a GPU, where the build has that.
if [ -e "$work/usr/include/nestling/runtime/vulkan/device.h" ]; then
  mkdir "$work/gpu"
  cat > "$work/gpu/CMakeLists.txt" << 'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(gpu C CXX)
set(CMAKE_CXX_STANDARD 20)
find_package(nestling REQUIRED)
foreach(program gpu gpu_c)
  add_executable(${program})
  target_link_libraries(${program} PRIVATE nestling::vulkan)
  set_target_properties(${program} PROPERTIES LINKER_LANGUAGE CXX)
endforeach()
target_sources(gpu PRIVATE gpu.cpp)
target_sources(gpu_c PRIVATE gpu.c)
CMAKE
  cat > "$work/gpu/gpu.c" << 'C'
#include <runtime/vulkan/nestling_gpu.h>
#include <stdio.h>
static void say(void* self, const char* sentence) { fprintf(self, "log: %s\n", sentence); }
int main(int count, char** words) {
  if (nestling_gpu_open(99, NULL) == NULL) printf("%s\n", nestling_error());
  nestling_gpu* gpu = count == 2 && nestling_gpu_count() > 0 ? nestling_gpu_open(0, NULL) : NULL;
  nestling_model_options options;
  nestling_model_defaults(&options);
  options.gpu = gpu;
  options.log = say;
  options.log_self = stdout;
  nestling_model* model = nestling_model_open(words[1], &options);
  if (gpu == NULL || model == NULL || nestling_model_set_capacity(model, 1) != NESTLING_OK) return 1;
  printf("%s at capacity %u\n", nestling_gpu_name(gpu), nestling_model_capacity(model));
  nestling_model_close(model);
  nestling_gpu_close(gpu);
  return 0;
}
C
  cat > "$work/gpu/gpu.cpp" << 'CPP'
#include <cstdio>
#include <runtime/model.h>
#include <runtime/vulkan/device.h>
using namespace nestling::runtime;
int main(int, char** argv) {
  auto device = vulkan::Device::open(0);
  if (!device.ok()) return 1;
  auto model = Model::open(argv[1], {.accelerator = device.value().get()});
  if (!model.ok() || !model.value().set_capacity(3).ok()) return 2;
  std::printf("%zu layers on the CPU\n", model.value().cpu_layers().nodes.size());
  return 0;
}
CPP
  cmake -G Ninja -S "$work/gpu" -B "$work/gpu/build" -DCMAKE_PREFIX_PATH="$work/usr" > /dev/null
  cmake --build "$work/gpu/build" > /dev/null
  [ "$("$work/gpu/build/gpu" "$package")" = "0 layers on the CPU" ]
  [[ $("$work/gpu/build/gpu_c" "$package") == "there is no GPU 99"*"log: capacity 1: "*" at capacity 1" ]]
fi
# Two applications on a host, from C++ and from C.
cat > "$work/profile.json" << 'JSON'
{"schema": "nestling/profile/1", "capacities": [
  {"accuracy": 0.6, "latency_ms": {"median": 0.1}, "memory": {"weights_bytes": 1, "activation_bytes": 1}, "upgrade": {"ms": 0.1}},
  {"accuracy": 0.7, "latency_ms": {"median": 0.2}, "memory": {"weights_bytes": 1, "activation_bytes": 1}, "upgrade": {"ms": 0.1}},
  {"accuracy": 0.8, "latency_ms": {"median": 0.3}, "memory": {"weights_bytes": 4000000, "activation_bytes": 1}, "upgrade": {"ms": 0.1}}]}
JSON
shared=$("$work/build/share" "$package" "$work/profile.json")
grep -q '^background: 60 frames' <<< "$shared"
grep -q '^camera: [0-9]* frames' <<< "$shared"
grep -q 's: 2666667 bytes of memory, 100 % of the processor$' <<< "$shared"
from_c=$("$work/build/share_c" "$package" "$work/profile.json" 1000000)
[[ $from_c == "capacity 3, first output "* ]]
[[ $("$work/build/share_c" "$package" "$package" 1 2>&1) == *"is not JSON" ]]
# The shared library shows the interface, and none of what it is made of.
symbols=$(nm -D --defined-only -C "$LD_LIBRARY_PATH/libnestling.so")
grep -q 'nestling::runtime::Model::set_capacity' <<< "$symbols"
grep -q nestling_submit <<< "$symbols"
if grep -E 'protozero|rapidjson|XXH|hwy|Segments::|N_AVX' <<< "$symbols"; then exit 1; fi
echo "$expected"
