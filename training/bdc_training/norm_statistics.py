"""Batch norms' means and variances estimated anew for final weights ("precise BN", arXiv 2105.07576, section 3).

Those that a run leaves behind are of weights on their way: averaged over the same steps as the weights, but not the
statistics of the averaged weights' own activations.
"""

from collections.abc import Sequence

import torch
from torch import nn

from .batches import BatchMaker
from .mixed_precision import MixedPrecision, autocast
from .network import Network


def estimate_norm_statistics(
    network: Network, maker: BatchMaker, batches: Sequence[list[int]], precision: MixedPrecision = "float32"
) -> None:
    """Each batch norm's statistics become the mean over `batches`, indices of samples. No weight changes.

    Leaves the network in evaluation mode.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
    for count, indices in enumerate(batches, 1):
        for norm in norms:
            norm.momentum = 1 / count
        batch = maker.plain(indices)
        with torch.no_grad(), autocast(precision, batch.images.device):
            network(*batch.inputs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()


def spread_batches(samples: int, available: int, size: int) -> list[list[int]]:
    """At most `samples` of `available` indices, evenly spread, in batches of `size`; what is left over is left out."""
    count = min(samples, available)
    indices = [place * available // count for place in range(count)]
    whole = max(1, count // size)
    return [indices[batch * size : (batch + 1) * size] for batch in range(whole)]
