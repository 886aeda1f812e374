#!/usr/bin/env bash
# count-neon-instructions.sh: cross-compiles the NEON majority kernel and counts the instructions of its inner loop (64 look-ups of
# 128 pixels for one output channel, loads and stores of the counters included) for 128 binary multiply-adds. With llvm-mca on the
# PATH it also prints the multiply-adds per cycle that LLVM's models of some cores give, all loads hitting the L1 cache.
set -euo pipefail
cd "$(dirname "$0")/.."
compiler=aarch64-linux-gnu-g++
command -v "$compiler" >/dev/null || { echo "$compiler is missing: sudo apt install g++-aarch64-linux-gnu" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
"$compiler" -std=c++20 -O3 -ffp-contract=off -fno-trapping-math -Inative -S -o "$folder/kernel.s" \
  native/kernels/binary-block-128-neon.cc

# The function for chunks of 64 look-ups after the first (kSteps = 8, kFirst = false), and in it the loop over output channels: the
# longest run of instructions between a label and a branch back to it.
awk '/^_ZN.*SumChunk.*Li8ELb0E.*:$/ { inside = 1 } inside { print } inside && /\.cfi_endproc/ { exit }' \
  "$folder/kernel.s" >"$folder/function.s"
awk '
  /^\.L[A-Za-z0-9_]+:/ { sub(":", "", $1); start[$1] = count }
  /^\t[a-z]/ { line[++count] = $0; if ($1 ~ /^(b|cbz|cbnz|tbz|tbnz)/) {
    target = $NF
    if (target in start && count - start[target] > length_) { length_ = count - start[target]; first = start[target] + 1; last = count }
  } }
  END { for (i = first; i <= last; i++) print line[i] }' "$folder/function.s" >"$folder/loop.s"

instructions=$(wc -l <"$folder/loop.s")
[ "$instructions" -gt 64 ] || { echo "found no inner loop in the compiler's output" >&2; exit 1; }
# 64 look-ups replace 128 input channels of 128 pixels.
macs=$((128 * 128))
awk -v n="$instructions" -v macs="$macs" 'BEGIN {
  printf "%d instructions for %d multiply-adds: %.2f for 128\n", n, macs, n * 128 / macs }'

mca=$(compgen -c llvm-mca | sort -V | tail -1 || true)
if [ -z "$mca" ]; then
  echo "llvm-mca is missing (sudo apt install llvm): no estimate of cycles"
  exit 0
fi
for cpu in cortex-a53 cortex-a55 cortex-a72 neoverse-n1; do
  "$mca" -mtriple=aarch64 -mcpu="$cpu" -iterations=100 "$folder/loop.s" |
    awk -v cpu="$cpu" -v macs="$macs" '/^Total Cycles:/ { printf "%-12s %.0f multiply-adds a cycle (estimate)\n", cpu, 100 * macs / $3 }'
done
