#!/usr/bin/env bash
# From a folder of images to a package and its profile, for the six applications of NestDNN (Table 2).
#   docs/recipes/recipe.sh vc|vs|vg|ri50|ri100|rp DATA OUT [FLAG...]
# DATA is a data set (README.md says how each is laid out), FLAGs go to every program that trains,
# such as --workers 4. A run that is stopped goes on with the same command. SCALE=0.1 takes a tenth of
# the epochs, SIZE=64 smaller images, WIDTH=0.25 a quarter of the filters, to try it.
set -euo pipefail
cd "$(dirname "$0")/../.."
usage() { sed -n '2,7s/^# \{0,1\}//p' docs/recipes/recipe.sh; exit 2; }
[ $# -ge 3 ] || usage
name=$1 data=$2 out=$3
shift 3
bin=${NESTLING_BIN:-build/release/bin}

# Signs and writing are not to be mirrored.
case $name in
  vc) arch=vgg16 size=32 epochs=160 augment=crop,flip ;;
  vs) arch=vgg16 size=32 epochs=60 augment=crop ;;
  vg) arch=vgg16 size=64 epochs=60 augment=crop,flip ;;
  ri50 | ri100 | rp) arch=resnet50 size=224 epochs=90 augment=crop,flip ;;
  *) usage ;;
esac
size=${SIZE:-$size}
share() { awk -v epochs="$1" -v scale="${SCALE:-1}" 'BEGIN { e = int(epochs * scale); print e < 1 ? 1 : e }'; }

mkdir -p "$out"
[ -e "$out/vanilla.onnx" ] ||
  "$bin/nestling-train" --arch $arch --width "${WIDTH:-1}" --data "$data" --input "3x${size}x$size" \
    --augment $augment --epochs "$(share $epochs)" --out "$out/vanilla.onnx" "$@"
"$bin/nestling-prune" "$out/vanilla.onnx" --data "$data" --out "$out/run" --augment $augment \
  --target-macs 10% --step 0.25 --epochs "$(share 5)" "$@"
"$bin/nestling-recover" "$out/run" --data "$data" --capacities 5 --growth joint --augment $augment \
  --epochs "$(share $((epochs / 2)))" "$@"
"$bin/nestling-convert" "$out/run" --out "$out/model.nest"
"$bin/nestling-profile" "$out/model.nest" --data "$data" --vanilla "$out/vanilla.onnx" \
  --out "$out/profile.json"
