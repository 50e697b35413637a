#!/usr/bin/env bash
# The long measurements of docs/results.md. Needs a release build (cmake --preset release) and, as
# DATA, a data set of small colour images such as CIFAR-10; takes minutes to hours on two cores.
#   tools/experiments.sh folded DATA OUT    a model whose exporter folded its batch norms
#   tools/experiments.sh distill DATA OUT   a super-resolution network, without labels
#   tools/experiments.sh schedule DATA OUT  six applications of two networks share this machine
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bin=${NESTLING_BIN:-$root/build/release/bin}
bench=${NESTLING_BENCH:-$root/build/release/tests/bench}
[ $# = 3 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
experiment=$1 data=$2 out=$3
mkdir -p "$out"

# The last entry of a roadmap.
seed_of() {
  sed -n 's/^ *"accuracy": \([0-9.-]*\),*$/\1/p' "$1/roadmap.json" | tail -n 1
}

folded() {
  local common=(--data "$data" --target-macs 50% --step 0.3 --epochs 2 --rank-images 1000 --quiet)
  "$bin/nestling-train" --arch resnet20 --data "$data" --epochs 12 --out "$out/model.onnx"
  "$bin/nestling-convert" "$out/model.onnx" --to onnx --fold-batchnorm --out "$out/folded"
  "$bin/nestling-prune" "$out/model.onnx" "${common[@]}" --out "$out/kept"
  "$bin/nestling-prune" "$out/folded/capacity1.onnx" "${common[@]}" --out "$out/again"
  for rate in 0.05 0.005 0.0005; do
    "$bin/nestling-prune" "$out/folded/capacity1.onnx" "${common[@]}" --no-rebatchnorm \
      --learning-rate $rate --out "$out/without-$rate" || echo "learning rate $rate: failed"
  done
  echo "validation accuracy at half the MACs: with the file's batch norms $(seed_of "$out/kept")," \
    "new ones $(seed_of "$out/again"), none, at a rate of 0.0005, $(seed_of "$out/without-0.0005")"
}

distill() {
  "$bench/super_resolution" "$data" "$out/model.onnx" 3
  "$bench/super_resolution" "$data" "$out/model.onnx" eval
  for rank in l1 activation random; do
    for epochs in 0 1; do
      local run=$out/$rank-$epochs
      "$bin/nestling-prune" "$out/model.onnx" --data "$data" --loss distill --rank $rank --quiet \
        --target-macs 50% --step 0.3 --epochs $epochs --learning-rate 0.02 --out "$run"
      local last
      last=$(find "$run/models" -name '*.onnx' | sort | tail -n 1)
      "$bench/super_resolution" "$data" "$last" eval
    done
  done
}

# NAME ARCH WIDTH EPOCHS, of the cut and of the growth: OUT/NAME.nest and its profile.
nested() {
  local name=$1
  [ ! -e "$out/$name.json" ] || return 0
  "$bin/nestling-train" --arch "$2" --width "$3" --data "$data" --epochs "$4" --out "$out/$name.onnx"
  "$bin/nestling-prune" "$out/$name.onnx" --data "$data" --target-macs 5% --max-drop 60 --step 0.5 \
    --round-to 4 --epochs "$5" --rank-images 1000 --out "$out/$name.run"
  "$bin/nestling-recover" "$out/$name.run" --data "$data" --capacities 5 --epochs "$6"
  "$bin/nestling-convert" "$out/$name.run" --out "$out/$name.nest"
  "$bin/nestling-profile" "$out/$name.nest" --data "$data" --out "$out/$name.json"
}

schedule() {
  nested small small 1 6 2 3
  nested vgg vgg16 0.25 6 1 2
  local profiles=(--profile "$out/small.json" --profile "$out/vgg.json")
  "$bin/nestling-schedule" --generate bursts "${profiles[@]}" --load 3 --seconds 1200 \
    --memory 0.4 --out "$out/bursts.json"
  "$bin/nestling-schedule" --simulate "$out/bursts.json" --compare --svg "$out/front.svg"
  "$bin/nestling-schedule" --generate random "${profiles[@]}" --load 3 --memory 0.5 --seconds 600 \
    --event-seconds 8 --out "$out/live.json"
  "$bin/nestling-schedule" --simulate "$out/live.json" --live --out "$out/live-result.json"
}

case $experiment in
  folded | distill | schedule) "$experiment" ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
