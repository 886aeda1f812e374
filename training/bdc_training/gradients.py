"""The gradient's norm: clipped, and told module by module."""

import math
from collections import defaultdict

import torch
from torch import nn


def module_of(parameter: str) -> str:
    """The part of the network that a parameter belongs to: `image_encoder.stages.3`, `bev_encoder.up2`."""
    names = parameter.split(".")[:-1]
    return ".".join(names[:3] if len(names) > 2 and names[2].isdigit() else names[:2])


def clip_gradients(network: nn.Module, limit: float) -> dict[str, float]:
    """Norm of each module's gradient, then scales all of them so that their norm together is at most `limit`.

    A gradient that isn't finite is left as it is.
    """
    named = [(name, p.grad) for name, p in network.named_parameters() if p.grad is not None]
    squares: defaultdict[str, float] = defaultdict(float)
    for (name, _), norm in zip(named, torch.stack(torch._foreach_norm([g for _, g in named])).tolist(), strict=True):
        squares[module_of(name)] += norm**2
    norms = {module: math.sqrt(square) for module, square in squares.items()}
    total = total_norm(norms)
    if limit < total < math.inf:
        torch._foreach_mul_([gradient for _, gradient in named], limit / total)
    return norms


def total_norm(norms: dict[str, float]) -> float:
    return math.sqrt(sum(norm**2 for norm in norms.values()))
