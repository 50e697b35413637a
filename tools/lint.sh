#!/usr/bin/env bash
# clang-tidy over every source that it can read: those without LibTorch, whose headers Debian 12's
# clang-tidy cannot parse as C++20. Needs a configured and built build/dev (generated headers). What
# it found nothing in, preprocessed and with the same checks, is not looked at again for a month.
set -euo pipefail
cd "$(dirname "$0")/.."
export CLEAN="${XDG_CACHE_HOME:-$HOME/.cache}/nestling-tidy"
mkdir -p "$CLEAN"
find "$CLEAN" -type f -mtime +30 -delete

tidy() {  # a source and its compile command
  local preprocess=${2/ -o * -c / -E -P -C } seen
  seen=$CLEAN/$({ cat .clang-tidy "$1"; clang-tidy-14 --version; echo "${2//"$PWD"/}"
                  cd build/dev && bash -c "$preprocess"; } | sha256sum | cut -d' ' -f1)
  [ -e "$seen" ] ||
    clang-tidy-14 -p build/dev --quiet --extra-arg=-Wno-unknown-warning-option "$1" 2> /dev/null
  touch "$seen"
}
export -f tidy

git ls-files 'lib/*.cpp' 'tools/*.cpp' |
  grep -vE '^(lib|tools)/(train|prune|recover)/|checksum.cpp$' | while read -r source; do
  command=$(sed -n "s|^  \"command\": \"\(.* -c $PWD/$source\)\",\$|\1|p" build/dev/compile_commands.json)
  printf '%s\0%s\0' "$source" "${command//\\\"/\"}"
done | xargs -0 -P "$(nproc)" -n 2 bash -euo pipefail -c 'tidy "$0" "$1"'
