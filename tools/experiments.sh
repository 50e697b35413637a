#!/usr/bin/env bash
# The long measurements of docs/results.md. Needs a release build (cmake --preset release) and, as
# DATA, a data set of small colour images such as CIFAR-10; takes minutes to hours on two cores.
#   tools/experiments.sh folded DATA OUT    a model whose exporter folded its batch norms
#   tools/experiments.sh distill DATA OUT   a super-resolution network, without labels
#   tools/experiments.sh schedule DATA OUT  six applications of two networks share this machine
#   tools/experiments.sh accuracy DATA OUT  a nested model's capacities beside what else a user could
#                                           have at their MACs; ARCH, WIDTH, EPOCHS (of the vanilla
#                                           model), RETRAIN (of an independent one), GROW, AUGMENT,
#                                           RATE, SEED say of what, and how long
#   tools/experiments.sh ablation DATA OUT  what each choice of cutting and growing is worth, one at a
#                                           time; ARCH, WIDTH, EPOCHS, AUGMENT, SEED
# What is done is kept under OUT, and the same command goes on.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bin=${NESTLING_BIN:-$root/build/release/bin}
bench=${NESTLING_BENCH:-$root/build/release/tests/bench}

usage() {
  sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
  exit 2
}

[ $# = 3 ] || usage
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
  "$bin/nestling-recover" "$out/$name.run" --data "$data" --growth full --capacities 5 --epochs "$6"
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

# NAME TOOL ARGS...: runs it once and keeps what it says in OUT/NAME.json, with the seconds of
# processor time that it took: other work on the machine does not count.
step() {
  local name=$1 tool=$2 seconds TIMEFORMAT=%0U
  shift 2
  [ ! -e "$out/$name.json" ] || return 0
  {
    time "$bin/nestling-$tool" "$@" --seed "$SEED" --quiet --json > "$out/$name.partial" 2>&3
  } 3>&2 2> "$out/$name.seconds"
  seconds=$(cat "$out/$name.seconds")
  rm "$out/$name.seconds"
  sed -i "\$s/}\$/, \"seconds\": $seconds}/" "$out/$name.partial"
  mv "$out/$name.partial" "$out/$name.json"
  echo "$name: $seconds s"
}

accuracy() {
  : "${ARCH:=small}" "${WIDTH:=1}" "${EPOCHS:=8}" "${RETRAIN:=6}" "${GROW:=8}" "${AUGMENT:=none}"
  : "${RATE:=0.1}" "${SEED:=1}"
  local images=(--data "$data" --augment "$AUGMENT")
  local cut=(--target-macs 10% --step 0.33 --round-to 4 --rank-images 2000)
  step vanilla train "${images[@]}" --arch "$ARCH" --width "$WIDTH" --epochs "$EPOCHS" \
    --learning-rate "$RATE" --out "$out/vanilla.onnx"
  step prune prune "$out/vanilla.onnx" "${images[@]}" "${cut[@]}" --out "$out/run"
  step prune-l1 prune "$out/vanilla.onnx" "${images[@]}" "${cut[@]}" --rank l1 --distill 0 \
    --out "$out/run-l1"
  # Ours, by each way of growing: `full` trains the capacities in turn, which together takes as long
  # as the others with all of them.
  local growth
  for growth in joint full causal; do
    grown "$growth" "$out/run" "$growth" --epochs "$GROW"
  done
  # A slimmable network: the same share of every layer's filters, all capacities trained from
  # scratch, for as long as the vanilla model and ours together.
  step slimmable-fresh train --from "$out/vanilla.onnx" --fresh --epochs 0 \
    --out "$out/fresh.onnx"
  step slimmable-prune prune "$out/fresh.onnx" "${images[@]}" "${cut[@]}" --epochs 0 \
    --min-accuracy 0 --out "$out/run-slimmable"
  grown slimmable "$out/run-slimmable" joint --epochs $((EPOCHS + GROW)) --distill 0 \
    --learning-rate "$RATE"
  # What an engineer would ship without nesting, at the MACs of capacities 1 to 4.
  local k entry
  for k in 1 2 3 4; do
    entry=$(node "$root/tools/experiments/nearest.mjs" "$out/joint.json" $k "$out/run")
    step "scratch-$k" train "${images[@]}" --from "$entry" --fresh --epochs "$EPOCHS" \
      --learning-rate "$RATE" --out "$out/scratch-$k.onnx"
    step "distilled-$k" train "${images[@]}" --from "$entry" --fresh --teacher "$out/vanilla.onnx" \
      --epochs $((EPOCHS + GROW)) --learning-rate "$RATE" --out "$out/distilled-$k.onnx"
    step "trr-$k" train "${images[@]}" --from "$entry" --teacher "$out/vanilla.onnx" \
      --epochs "$RETRAIN" --learning-rate 0.05 --out "$out/trr-$k.onnx"
    entry=$(node "$root/tools/experiments/nearest.mjs" "$out/joint.json" $k "$out/run-l1")
    step "l1-$k" train "${images[@]}" --from "$entry" --epochs "$RETRAIN" --learning-rate 0.05 \
      --out "$out/l1-$k.onnx"
  done
  node "$root/tools/experiments/table.mjs" "$out"
}

# NAME RUN GROWTH FLAGS...: OUT/NAME.json of the growing, OUT/NAME-test.json of the test split.
grown() {
  local name=$1 run=$2 growth=$3
  shift 3
  if [ ! -e "$out/$name.json" ] && [ "$(cat "$run/growing" 2> /dev/null)" != "$name" ]; then
    rm -rf "$run/$growth"-*  # of another name, with other settings
    echo "$name" > "$run/growing"
  fi
  step "$name" recover "$run" --data "$data" --augment "$AUGMENT" --growth "$growth" "$@"
  [ ! -e "$out/$name-test.json" ] || return 0
  "$bin/nestling-convert" "$run" --out "$out/$name.nest" --quiet > /dev/null
  "$bin/nestling-profile" "$out/$name.nest" --data "$data" --runs 20 --quiet \
    --out "$out/$name-test.json" > /dev/null
  tested "$name-test"
}

# NAME FLAGS...: what is left at a fifth of the MACs, cut with these flags, on the test split.
cut_to_a_fifth() {
  local name=$1
  shift
  step "$name" prune "$out/vanilla.onnx" --data "$data" --augment "$AUGMENT" --target-macs 20% \
    --step 0.33 --round-to 4 "$@" --out "$out/$name"
  step "$name-test" train --from "$(find "$out/$name/models" -name '*.onnx' | sort | tail -n 1)" \
    --data "$data" --epochs 0 --out "$out/$name.onnx"
  tested "$name-test"
}

# NAME: the accuracy that a step measured.
tested() {
  node -p "const r = JSON.parse(fs.readFileSync('$out/$1.json'));
    (r.capacities ?? [r]).map((c) => (100 * c.accuracy).toFixed(2)).join(' ') + '  $1'"
}

ablation() {
  : "${ARCH:=small}" "${WIDTH:=1}" "${EPOCHS:=8}" "${AUGMENT:=none}" "${SEED:=1}"
  local name
  step vanilla train --data "$data" --augment "$AUGMENT" --arch "$ARCH" --width "$WIDTH" \
    --epochs "$EPOCHS" --out "$out/vanilla.onnx"
  for name in trr l1 l2 fpgm taylor bn activation random; do
    cut_to_a_fifth "rank-$name" --rank $name
  done
  cut_to_a_fifth global --scope global
  cut_to_a_fifth sensitivity --scope sensitivity
  cut_to_a_fifth per-macs --per-macs
  cut_to_a_fifth reconstruct --reconstruct
  cut_to_a_fifth labels-only --distill 0
  cut_to_a_fifth unretrained --epochs 0
  cut_to_a_fifth unretrained-reconstruct --epochs 0 --reconstruct
  for name in entry vanilla fresh; do
    grown "full-$name" "$out/rank-trr" full --init $name --capacities 4
    grown "joint-$name" "$out/rank-trr" joint --init $name --capacities 4 --epochs 4
  done
  for name in full joint; do
    grown "$name-labels-only" "$out/rank-trr" $name --distill 0 --capacities 4 --epochs 2
  done
}

case $experiment in
  folded | distill | schedule | accuracy | ablation) "$experiment" ;;
  *) usage ;;
esac
