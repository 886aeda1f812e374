"""Where products are made in bfloat16."""

import contextlib
from typing import Literal

import torch

from .processor import multiplies_bfloat16

MixedPrecision = Literal["float32", "bfloat16", "auto"]


def autocast(precision: MixedPrecision, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """PyTorch's autocast, or nothing. `auto`: where the device has instructions for products of bfloat16."""
    if precision == "float32" or (precision == "auto" and not multiplies_bfloat16(device)):
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)
