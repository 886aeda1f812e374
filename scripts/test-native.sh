#!/usr/bin/env bash
# test-native.sh [--sanitize]: builds and runs the GoogleTests of native/ in build/gtest; with --sanitize under AddressSanitizer and
# UndefinedBehaviorSanitizer (build/gtest-asan), then those of the runtime under ThreadSanitizer (build/gtest-tsan), with -O1 and
# assertions: at -O3 GCC takes minutes for each of the kernels in plain loops, with their check at every element.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in cmake c++; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: sudo apt install cmake g++" >&2; exit 2; }
done

# build FOLDER FLAGS TARGET OPTIMIZATION
build() {
  local folder=$1 flags=$2 target=$3 optimization=$4
  cmake -S native -B "$folder" -DBDC_BUILD_TESTS=ON -DCMAKE_CXX_FLAGS="$flags" \
    -DCMAKE_CXX_FLAGS_RELEASE="$optimization" >/dev/null || {
    echo "GoogleTest may be missing: sudo apt install libgtest-dev" >&2
    exit 2
  }
  cmake --build "$folder" --parallel 2 --target "$target" >"$folder/build.log" 2>&1 || {
    cat "$folder/build.log"
    exit 1
  }
}

case "${1:-}" in
  "")
    build build/gtest "" bdc_tests "-O3 -DNDEBUG"
    scripts/check-isa-symbols.sh build/gtest
    scripts/run-gtests.sh build/gtest build/results/native
    ;;
  --sanitize)
    build build/gtest-asan "-g -fsanitize=address,undefined -fno-sanitize-recover=all" bdc_tests -O1
    build build/gtest-tsan "-g -fsanitize=thread" runtime_test -O1
    scripts/run-gtests.sh build/gtest-asan build/results/asan
    scripts/run-gtests.sh build/gtest-tsan build/results/tsan
    ;;
  *)
    echo "usage: scripts/test-native.sh [--sanitize], not '$1'" >&2
    exit 2
    ;;
esac
