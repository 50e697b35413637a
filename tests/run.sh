#!/usr/bin/env bash
# Installs what is needed, builds, and runs the whole test suite. Needs no data set and no GPU.
#   tests/run.sh [CTest arguments, such as -R graph]
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh
cmake --preset dev > /dev/null
cmake --build --preset dev
ctest --preset dev "$@"
