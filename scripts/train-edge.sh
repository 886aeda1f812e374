#!/usr/bin/env bash
# train-edge.sh [DIR]: makes the shipped model again, from nothing: data sets, full-precision twin, binary network, int8 layers, evaluation.
# Everything lands in DIR (default: out/edge). Stopped and given again it goes on where it was. What each run is for, took and reached:
# models/edge/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-out/edge}")
export OMP_WAIT_POLICY=passive GLIBC_TUNABLES=glibc.malloc.hugetlb=1

[ -e dist/cli/main.js ] || node scripts/bootstrap.mjs
scripts/training-env.sh
python=$PWD/.venv-training/bin/python
bdc_occ() { node dist/cli/main.js "$@"; }

simulate() { # NAME SCENES SEED
  bdc_occ simulate "$out/data/$1" --format nuscenes --scenes "$2" --seed "$3" --image-size 352x128
}

first=""
run() { # NAME STEPS KEY=VALUE…; of $worlds, or of the $first of them
  local name=$1 steps=$2 options=()
  shift 2
  if [ -n "$first" ]; then
    printf 'scene-%05d\n' $(seq 0 $((first - 1))) >"$out/first-$first.txt"
    options+=(--scenes "$out/first-$first.txt")
  fi
  [ ! -e "$out/$name/checkpoint.pt" ] || options+=(--resume)
  for setting in "$@"; do options+=(--set "$setting"); done
  echo "== $name: $steps steps"
  "$python" -m bdc_training.train --config training/configs/edge.yaml --data "$out/data/$worlds" --val "$out/data/watch" \
    --out "$out/$name" --steps "$steps" "${options[@]}"
}

simulate train 1200 1
simulate train-4800 4800 1 # the 1200 and more
simulate train-8000 8000 1
simulate watch 40 3 # looked at during the runs
simulate val 200 900001

adamw=training.optimizer=adamw
from() { echo "training.initial=$out/$1"; }
taught_by() { echo "training.distillation.teacher=$out/$1"; }
worlds=train
run twin 5600 $adamw unit.precision=full
run twin-2 2537 unit.precision=full "$(from twin)"
# Inputs of one bit, then weights too
run inputs 800 $adamw unit.precision=binary_inputs "$(from twin)" "$(taught_by twin)"
run binary 1500 $adamw "$(from inputs)" "$(taught_by twin)"
run binary-2 2947 training.final_share=1 "$(from binary)" "$(taught_by twin)"
run binary-3 1810 training.learning_rate=0.001 "$(from binary-2)" "$(taught_by twin-2)"
run binary-4 6621 training.learning_rate=0.001 "$(from binary-3)" "$(taught_by twin-2)"

worlds=train-4800
run twin-3 3377 unit.precision=full training.learning_rate=0.001 "$(from twin-2)"
run binary-5 2464 training.learning_rate=0.0005 training.final_share=0.5 "$(from binary-4)" "$(taught_by twin-2)"
run binary-6 2650 training.learning_rate=0.00025 training.final_share=0.02 "$(from binary-5)" "$(taught_by twin-3)"

# From here on with half as much weight again on the boxes
boxes() { echo training.losses.heatmap=0.3 training.losses.box=0.3; }
run twin-4 2673 unit.precision=full training.learning_rate=0.001 "$(from twin-3)" $(boxes)
first=1600
run binary-7 2000 training.learning_rate=0.001 training.final_share=0.8 "$(from binary-6)" "$(taught_by twin-3)" $(boxes)
first=""
# Its first 3260 steps had twin-3 as the teacher, twin-4 being in the making.
run binary-8 7231 training.learning_rate=0.0008 training.final_share=0.01 "$(from binary-7)" "$(taught_by twin-4)" $(boxes)

# From here on the world is not mirrored, and the soft IoU is that of the latest hundred batches or so
unmirrored() { echo training.augmentation.flip_x=0 training.augmentation.flip_y=0; }
over_batches=training.iou_memory=0.99
run binary-9 800 training.learning_rate=0.0005 training.final_share=0.03 training.warmup_steps=50 "$(from binary-8)" "$(taught_by twin-4)" \
  $(boxes) $(unmirrored) $over_batches
worlds=train-8000
# Trained by two processes of two samples each; here by one
run binary-10 7112 training.batch_size=4 training.learning_rate=0.001 training.final_share=0.01 "$(from binary-9)" "$(taught_by twin-4)" \
  $(boxes) $(unmirrored) $over_batches

# The twin once more with what the binary network had last, to be compared with it
worlds=train-4800
run twin-5 800 unit.precision=full training.learning_rate=0.0005 training.final_share=0.03 training.warmup_steps=50 "$(from twin-4)" \
  $(boxes) $(unmirrored) $over_batches

calibrate_and_export() { # RUN MODEL
  "$python" -m bdc_training.calibrate --config "$out/$1/config.yaml" --checkpoint "$out/$1/checkpoint.pt" --data "$out/data/train-8000" \
    --out "$out/$1/calibrated.pt"
  "$python" -m bdc_training.export --config "$out/$1/config.yaml" --checkpoint "$out/$1/calibrated.pt" --out "$2"
}
calibrate_and_export twin-5 "$out/twin.safetensors"
calibrate_and_export binary-10 "$out/float.safetensors"
"$python" -m bdc_training.quantize --model "$out/float.safetensors" --data "$out/data/train-8000" --layers pointwise real --first-and-last --samples 48 \
  --out "$out/bdc-occ-edge.safetensors"
for model in twin bdc-occ-edge; do
  echo "== $model"
  bdc_occ evaluate --model "$out/$model.safetensors" --data "$out/data/val"
done
