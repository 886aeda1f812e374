#!/usr/bin/env bash
# run-gtests.sh BUILD RESULTS [EMULATOR…]: runs every GoogleTest binary of BUILD/bin, writes RESULTS/<binary>.xml, shows the
# output of those that fail and ends with the summary lines of all.
set -euo pipefail
build=$1 results=$2
shift 2
mkdir -p "$results"
failed=0
summaries=()
for binary in "$build"/bin/*_test; do
  name=$(basename "$binary")
  if output=$("$@" "$binary" --gtest_output="xml:$results/$name.xml" 2>&1); then
    status=ok
  else
    status="exit code $?"
    failed=1
    printf '%s\n' "$output"
  fi
  summaries+=("$name: $status")
  while IFS= read -r line; do
    summaries+=("  $line")
  done < <(grep -E '^\[==========\] .* ran\.|^\[  (PASSED|SKIPPED|FAILED)  \] [0-9]+ test|^\[  SKIPPED \] [0-9]+ test|^ *[0-9]+ FAILED TEST|^Instruction sets' <<<"$output" || true)
done
printf '%s\n' "${summaries[@]}"
exit "$failed"
