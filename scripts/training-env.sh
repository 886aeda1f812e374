#!/usr/bin/env bash
# training-env.sh: makes .venv-training with bdc_training and what its tests need, on top of a Python that has PyTorch ($PYTHON, else
# /usr/bin/python3 with Debian's packages). Does nothing when it is up to date.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-/usr/bin/python3}
venv=.venv-training
wanted="$python $(cat training/requirements.txt training/pyproject.toml | sha256sum)"
[ "$(cat "$venv/made-from" 2>/dev/null)" = "$wanted" ] && exit 0

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
  echo "$python is missing or older than Python 3.11: install one, or name another with PYTHON=…" >&2
  exit 2
}
for module in torch numpy PIL yaml ensurepip; do
  "$python" -c "import $module" 2>/dev/null || {
    echo "$python has no $module: sudo apt install python3-torch python3-numpy python3-pil python3-yaml python3-venv, or name with" \
      "PYTHON=… a Python 3.11 or later that has PyTorch 1.13 or later" >&2
    exit 2
  }
done

"$python" -m venv --clear --system-site-packages "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r training/requirements.txt
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e training
echo "$wanted" >"$venv/made-from"
