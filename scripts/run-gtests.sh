#!/usr/bin/env bash
# run-gtests.sh BUILD RESULTS [EMULATOR…]: runs every GoogleTest binary of BUILD/bin, writes RESULTS/<binary>.xml, shows the
# output of those that fail and ends with the summary lines of all.
set -euo pipefail
build=$1 results=$2
shift 2
mkdir -p "$results"
summary_lines='^\[==========\] .* ran\.|^\[  (PASSED |FAILED |SKIPPED) \] [0-9]+ test|^Instruction sets'
failed=0
summaries=()
for binary in "$build"/bin/*_test; do
  name=$(basename "$binary")
  status=0
  output=$("$@" "$binary" --gtest_output="xml:$results/$name.xml" 2>&1) || status=$?
  if [ "$status" -ne 0 ]; then
    failed=1
    grep -Ev "$summary_lines" <<<"$output" || true
  fi
  summaries+=("$name: exit code $status" "$(grep -E "$summary_lines" <<<"$output" || true)")
done
printf '%s\n' "${summaries[@]}"
exit "$failed"
