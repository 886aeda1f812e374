"""Compiles kernels/ for this machine, once, and calls it. Without it training is the same, but slower on a CPU."""

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from ..processor import processor

KERNELS = Path(__file__).with_name("kernels")
FLAGS = ["-O3", "-march=native", "-std=c++17", "-fPIC", "-fopenmp"]
FLAGS += ["-fno-math-errno", "-fno-trapping-math", "-funsafe-math-optimizations", "-ffinite-math-only"]


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bdc_training"


@functools.cache
def library() -> ctypes.CDLL | None:
    """The compiled kernels; None, with a word on standard error, where no C++ compiler with OpenMP is to be found or
    BDC_TRAINING_FUSED=0 says not to use them."""
    if os.environ.get("BDC_TRAINING_FUSED") == "0":
        return None
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        print(
            "bdc_training: no C++ compiler (c++, g++ or $CXX): training runs without fused operations", file=sys.stderr
        )
        return None
    sources = [path.read_text() for path in sorted(KERNELS.iterdir())]
    key = hashlib.sha256("\0".join([*sources, compiler, *FLAGS, processor()]).encode()).hexdigest()[:16]
    target = cache_folder() / f"fused-{key}.so"
    if not target.exists():
        try:
            _compile(compiler, target)
        except (OSError, subprocess.CalledProcessError) as error:
            detail = getattr(error, "stderr", "") or str(error)
            print(f"bdc_training: {compiler} failed: training runs without fused operations\n{detail}", file=sys.stderr)
            return None
    return ctypes.CDLL(str(target))


def usable(*tensors: Tensor) -> bool:
    """Whether the kernels take these images: float32, on the CPU, channels last."""
    return all(t.is_contiguous(memory_format=torch.channels_last) for t in tensors) and usable_rows(*tensors)


def usable_sums(x: Tensor) -> bool:
    """Whether the kernels take these results of a convolution: as `usable`, or bfloat16."""
    is_image = x.device.type == "cpu" and x.is_contiguous(memory_format=torch.channels_last)
    return is_image and x.dtype in (torch.float32, torch.bfloat16) and library() is not None


def usable_rows(*tensors: Tensor) -> bool:
    """Whether the kernels take these tensors, which get copied where they aren't contiguous: float32, on the CPU."""
    return all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors) and library() is not None


def call(name: str, *arguments: Tensor | int | float) -> None:
    """Calls kernel `name`; tensors go by address, and the number of PyTorch's threads comes last."""
    function = getattr(library(), name)
    function(*(_argument(value) for value in arguments), ctypes.c_int(torch.get_num_threads()))


def _argument(value: Tensor | int | float) -> ctypes.c_void_p | ctypes.c_int64 | ctypes.c_float:
    if isinstance(value, Tensor):
        return ctypes.c_void_p(value.data_ptr())
    return ctypes.c_float(value) if isinstance(value, float) else ctypes.c_int64(value)


def _compile(compiler: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        objects = [Path(folder) / f"{source.stem}.o" for source in sorted(KERNELS.glob("*.cc"))]
        shared = Path(folder) / "kernels.so"
        commands = [[compiler, *FLAGS, "-c", str(KERNELS / f"{o.stem}.cc"), "-o", str(o)] for o in objects]
        # Linked without FLAGS, which there would make subnormal numbers zero in the whole process.
        for command in [*commands, [compiler, "-shared", "-fopenmp", *map(str, objects), "-o", str(shared)]]:
            subprocess.run(command, check=True, capture_output=True, text=True)
        shared.replace(target)
