#!/usr/bin/env bash
# Builds the fuzz targets and runs each, from the seeds that the build makes; what is found lies in
# build/asan/fuzz-found.
#   tools/fuzz.sh [SECONDS of each target, default 60] [TARGET...]
# FUZZ_SEED, if set, makes every run the same one, as far as it comes in its time.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(onnx package json image array)

cmake --preset asan > /dev/null
cmake --build --preset asan
folder=build/asan/tests/fuzz
mkdir -p build/asan/fuzz-found

fuzz() {
  local work log=build/asan/fuzz-found/$1.log
  work=$(mktemp -d)
  if ! UBSAN_OPTIONS=print_stacktrace=1 "$folder/fuzz_$1" -seed="${FUZZ_SEED:-0}" -max_total_time="$seconds" -timeout=20 \
    -rss_limit_mb=2048 -malloc_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="build/asan/fuzz-found/$1-" "$work" "$folder/corpus/$1" > "$log" 2>&1; then
    tail -n 60 "$log"
    echo "$1: found something"
    return 1
  fi
  rm -r "$work"
  echo "$1: $(sed -n 's/stat::number_of_executed_units: *//p' "$log") executions, nothing found"
}
export -f fuzz
export seconds folder
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I {} bash -euc 'fuzz {}'
