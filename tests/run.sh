#!/usr/bin/env bash
# Installs what is needed, builds, and runs the whole test suite. Needs no data set and no GPU.
#   tests/run.sh [CTest arguments, such as -R graph]
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh
mkdir -p build/peers
cp tests/interop/package.json build/peers/
npm install --prefix build/peers --ignore-scripts --no-audit --no-fund --silent
cmake --preset dev > /dev/null
cmake --build --preset dev
OMP_WAIT_POLICY=passive ctest --preset dev "$@"
