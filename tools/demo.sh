#!/usr/bin/env bash
# The whole line on real data: installs what it needs, builds, fetches Fashion-MNIST, trains a CNN,
# prunes it, grows it back into five capacities, packs it, profiles it and runs it on an image.
# Started again it reuses what is done. Results are in demo/.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%d:%02d)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60)); }

step "installing packages"
tools/setup.sh
step "building"
cmake --preset release > /dev/null
cmake --build --preset release --target tools
step "fetching Fashion-MNIST"
datasets/fetch.sh fashion-mnist

bin=build/release/bin
mkdir -p demo
pipeline=$SECONDS
if [ ! -e demo/vanilla.onnx ]; then
  step "training a CNN"
  $bin/nestling-train --arch small --data fashion-mnist --epochs 5 --out demo/vanilla.onnx
fi
step "pruning it"
$bin/nestling-prune demo/vanilla.onnx --data fashion-mnist --out demo/run --max-drop 3
step "growing it back"
$bin/nestling-recover demo/run --data fashion-mnist --capacities 5
step "packing it"
$bin/nestling-convert demo/run --out demo/model.nest
$bin/nestling-convert demo/run --to onnx --out demo/onnx
step "profiling it"
$bin/nestling-profile demo/model.nest --data fashion-mnist --vanilla demo/vanilla.onnx \
  --out demo/profile.json | tee demo/profile.txt
step "running it"
node datasets/first-image.mjs "${NESTLING_DATA:-data}/fashion-mnist" demo/image.pgm
$bin/nestling-run demo/model.nest --capacity 1 --input demo/image.pgm

step "done"
seconds=$((SECONDS - pipeline))
printf 'The pipeline took %d:%02d. In demo/:\n' $((seconds / 60)) $((seconds % 60))
echo "  vanilla.onnx               the trained CNN"
echo "  run/roadmap.json           the pruned models, in run/models/"
echo "  run/multicapacity.onnx     the multi-capacity model"
echo "  onnx/capacityN.onnx        each capacity as a model of its own"
echo "  model.nest, profile.json   the package and what its capacities are worth"
