"""An exponential moving average of a network's weights, the network to evaluate and to ship."""

import copy

import torch
from torch import Tensor, nn


class WeightAverage:
    """`network` averages the state of `source`: its parameters and its batch norms' statistics.

    Of a binary layer the latent weights are averaged; the layer takes sign and scale of the average. A weight that
    oscillates about zero so gets the sign that it had for longer, and by the larger values.
    """

    def __init__(self, source: nn.Module, decay: float):
        """`decay` is the share of the old average that is kept at a step, in [0, 1)."""
        self.network = copy.deepcopy(source).requires_grad_(False).eval()
        self._decay = decay

    def update(self, source: nn.Module, step: int) -> None:
        """After step number `step`, from 0. Early steps are forgotten sooner, the random start at once."""
        keep = min(self._decay, step / (step + 10))
        pairs = list(zip(_state(self.network), _state(source), strict=True))
        real = [pair for pair in pairs if pair[0].is_floating_point()]
        averages, values = [average for average, _ in real], [value for _, value in real]
        with torch.no_grad():
            # All at once: there are hundreds of small ones.
            torch._foreach_mul_(averages, keep)
            torch._foreach_add_(averages, values, alpha=1 - keep)
            for average, value in pairs:
                if not average.is_floating_point():
                    average.copy_(value)


def _state(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
