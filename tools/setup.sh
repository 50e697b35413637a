#!/usr/bin/env bash
# Installs the Debian packages (12 or 13) that building and testing need. As root, or with sudo.
#   tools/setup.sh           everything
#   tools/setup.sh --ci      also clang: formatting, linting, sanitizers, fuzzing, ARM (12)
set -euo pipefail

packages=(
  build-essential cmake ninja-build ccache git curl ca-certificates xz-utils
  libtorch-dev libgloo-dev libopenblas0-pthread libonnx-dev libprotobuf-dev protobuf-compiler
  libcli11-dev nlohmann-json3-dev libfmt-dev libssl-dev zlib1g-dev libpng-dev
  libturbojpeg0-dev pkg-config
  libprotozero-dev rapidjson-dev libhwy-dev libxxhash-dev
  libvulkan-dev libvulkan-volk-dev glslang-tools spirv-tools mesa-vulkan-drivers vulkan-validationlayers
  catch2 librapidcheck-dev libvalijson-dev libonnx-testdata chromium
)
command -v node > /dev/null && command -v npm > /dev/null || packages+=(nodejs npm)
[ "${1:-}" = --ci ] && packages+=(clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev clang-19 lld-19)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2> /dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${#missing[@]} packages: ${missing[*]}"
  # A mirror in the middle of a sync can fail the update on one index; the install decides.
  "${as_root[@]}" apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -qq -y --no-install-recommends \
    "${missing[@]}" > /dev/null
fi

# LibTorch's matrix products are 20 times faster with OpenBLAS than with the reference BLAS.
for library in libblas.so.3 liblapack.so.3; do
  name=$library-$(uname -m)-linux-gnu
  wanted=/usr/lib/$(uname -m)-linux-gnu/openblas-pthread/$library
  if [ -e "$wanted" ] && [ "$(update-alternatives --query "$name" | sed -n 's/^Value: //p')" != "$wanted" ]; then
    "${as_root[@]}" update-alternatives --set "$name" "$wanted" > /dev/null
  fi
done
