#!/usr/bin/env bash
# check-isa-symbols.sh BUILD: the kernels compiled for more than the baseline may define their entry points and nothing that the
# linker could share with other files, else the portable path might run instructions that the CPU lacks.
set -euo pipefail
objects=$(find "$1/kernels" -name '*-avx*.cc.o')
[ -n "$objects" ] || exit 0
# shellcheck disable=SC2086 # one word an object
shared=$(nm -C --defined-only $objects | grep -E ' [WVu] ' || true)
if [ -n "$shared" ]; then
  echo "Kernels define symbols that other files may be linked to; give them internal linkage:" >&2
  echo "$shared" >&2
  exit 1
fi
