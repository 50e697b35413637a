#!/usr/bin/env bash
# Unpacks the Debian 12 packages that the device build needs for another architecture into
# build/sysroot/ARCH, and installs its cross compiler and emulator.
#   tools/sysroot.sh aarch64|armv7
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  aarch64) architecture=arm64 triple=aarch64-linux-gnu ;;
  armv7) architecture=armhf triple=arm-linux-gnueabihf ;;
  *) echo "usage: tools/sysroot.sh aarch64|armv7" >&2 && exit 2 ;;
esac
root=build/sysroot/$1
[ -e "$root/complete" ] && exit 0

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
"${as_root[@]}" dpkg --add-architecture "$architecture"
"${as_root[@]}" apt-get update -qq || true
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -qq -y --no-install-recommends \
  "g++-$triple" qemu-user > /dev/null

# Unpacked rather than installed: not all of these may stand beside their amd64 siblings.
packages=()
for name in libhwy-dev libhwy1 libxxhash-dev libfmt-dev libfmt9 \
  libssl-dev libssl3 zlib1g-dev zlib1g libpng-dev libpng16-16 libturbojpeg0-dev libturbojpeg0; do
  packages+=("$name:$architecture")
done
packages+=(libprotozero-dev rapidjson-dev libcli11-dev nlohmann-json3-dev "catch2:$architecture")
mkdir -p "$root/packages"
(cd "$root/packages" && apt-get download -qq "${packages[@]}" 2> /dev/null)
for package in "$root"/packages/*.deb; do dpkg -x "$package" "$root"; done
rm -r "$root/packages"
[ ! -d "$root/lib" ] || cp -a "$root/lib/." "$root/usr/lib/"  # some packages still name /lib
touch "$root/complete"
