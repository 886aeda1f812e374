"""Pairs of names, ours and the published code's, of what both have alike."""

from collections.abc import Iterator

from .real_layers import ConvLayer

# (our name, its name): parameters and statistics; prefixes have no dot at the end.
Pairs = Iterator[tuple[str, str]]

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def pairs(ours: str, theirs: str, parts: tuple[str, ...]) -> Pairs:
    yield from ((f"{ours}.{part}", f"{theirs}.{part}") for part in parts)


def conv_pairs(layer: ConvLayer, ours: str, conv: str, norm: str | None) -> Pairs:
    yield from pairs(f"{ours}.conv", conv, ("weight",) if layer.conv.bias is None else ("weight", "bias"))
    if layer.norm is not None and norm is not None:
        yield from pairs(f"{ours}.norm", norm, NORM)
