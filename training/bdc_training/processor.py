"""What this machine's processor can do."""

import functools
import platform
from collections.abc import Sequence
from pathlib import Path

import torch


@functools.cache
def processor() -> str:
    """Its features as Linux lists them; elsewhere its name."""
    try:
        lines: Sequence[str] = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.lower().startswith(("flags", "features"))), platform.machine())


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether it has instructions for products of bfloat16; without them PyTorch is slower with those."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return not {"amx_bf16", "avx512_bf16"}.isdisjoint(processor().split())
