#!/usr/bin/env bash
# Installs BUILD into a prefix and uses it as a user does: the programs, find_package, pkg-config.
#   test.sh BUILD PACKAGE.nest
set -euo pipefail
build=$1 package=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/usr" > /dev/null
"$work/usr/bin/nestling-run" "$package" --bench --runs 1 --quiet --json > /dev/null
cmake -G Ninja -S "$here" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/usr" > /dev/null
cmake --build "$work/build" > /dev/null
export PKG_CONFIG_PATH LD_LIBRARY_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/usr" -name nestling.pc)")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
# shellcheck disable=SC2046
c++ -std=c++20 "$here/consumer.cpp" -o "$work/consumer_pkg" $(pkg-config --cflags --libs nestling)
expected=$("$work/build/consumer_static" "$package")
[[ $expected == "3 capacities, first output "* ]]
[ "$("$work/build/consumer_shared" "$package")" = "$expected" ]
[ "$("$work/consumer_pkg" "$package")" = "$expected" ]
# The shared library shows the interface, and none of what it is made of.
symbols=$(nm -D --defined-only -C "$LD_LIBRARY_PATH/libnestling.so")
grep -q 'nestling::runtime::Model::set_capacity' <<< "$symbols"
if grep -E 'protozero|XXH|hwy|Segments::|N_AVX' <<< "$symbols"; then exit 1; fi
echo "$expected"
