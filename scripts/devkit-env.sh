#!/usr/bin/env bash
# devkit-env.sh: makes .venv-devkit with nuscenes-devkit from PyPI (about 600 MB), the oracle of the detection metrics in tests. Needs a
# Python ($PYTHON, else python3) from 3.9 to 3.12 with venv; exits with 2 if there is none. Does nothing when it is up to date.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
venv=.venv-devkit
wanted="$python $(sha256sum <scripts/devkit-requirements.txt)"
[ "$(cat "$venv/made-from" 2>/dev/null)" = "$wanted" ] && exit 0

# The devkit wants NumPy 1, which has no wheels for later ones.
"$python" -c 'import sys, ensurepip; sys.exit(not (3, 9) <= sys.version_info < (3, 13))' 2>/dev/null || {
  echo "$python is missing, has no venv, or is no Python from 3.9 to 3.12: name another with PYTHON=…" >&2
  exit 2
}
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r scripts/devkit-requirements.txt
echo "$wanted" >"$venv/made-from"
