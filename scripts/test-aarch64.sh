#!/usr/bin/env bash
# test-aarch64.sh: cross-compiles the GoogleTests of native/ for 64-bit ARM (build/gtest-aarch64) and runs them under qemu on CPUs
# without the dot product instructions (Cortex-A53, -A72), one with them (-A76) and one with everything qemu has.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in cmake aarch64-linux-gnu-g++ qemu-aarch64; do
  command -v "$tool" >/dev/null || {
    echo "$tool is missing: sudo apt install cmake g++-aarch64-linux-gnu qemu-user" >&2
    exit 2
  }
done
[[ -d /usr/src/googletest ]] || { echo "GoogleTest's sources are missing: sudo apt install googletest" >&2; exit 2; }

build=build/gtest-aarch64
cmake --no-warn-unused-cli -S native -B "$build" -DBDC_BUILD_TESTS=ON -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux-gnu.cmake >/dev/null
cmake --build "$build" --parallel 2 --target bdc_tests >"$build/build.log" 2>&1 || { cat "$build/build.log"; exit 1; }

failed=0
for cpu in cortex-a53 cortex-a72 cortex-a76 max; do
  echo "qemu-aarch64 -cpu $cpu"
  scripts/run-gtests.sh "$build" "build/results/aarch64-$cpu" \
    qemu-aarch64 -cpu "$cpu" -L /usr/aarch64-linux-gnu || failed=1
done
exit "$failed"
