#!/usr/bin/env bash
# Formats every C and C++ file of the project; with --check only says what is not formatted.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.h' '*.cpp' '*.c')
if [ "${1:-}" = --check ]; then
  clang-format-14 --dry-run --Werror "${sources[@]}"
else
  clang-format-14 -i "${sources[@]}"
fi
