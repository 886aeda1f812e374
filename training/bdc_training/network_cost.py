"""Multiply-accumulates of a network, by what is multiplied."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .binary import BinaryConv2d
from .config import Config
from .network import build_network


@dataclass
class Cost:
    """Of one sample: all cameras, and the grid once. Convolutions only."""

    # ±1 weights on ±1 activations.
    binary: int = 0
    # ±1 weights on real activations.
    mixed: int = 0
    # Real weights.
    real: int = 0


def network_cost(config: Config) -> Cost:
    """Counted while the network computes a sample of noise."""
    cost = Cost()

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        weight, (x,) = layer.weight, inputs
        multiplications = output.numel() * weight[0].numel()
        if not isinstance(layer, BinaryConv2d):
            cost.real += multiplications
        elif bool((x.abs() == 1).all()):
            cost.binary += multiplications
        else:
            cost.mixed += multiplications

    network = build_network(config).eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | BinaryConv2d):
            layer.register_forward_hook(count)
    cameras, width, height = len(config.input.camera_names), config.input.width, config.input.height
    stride = config.image_encoder.stride
    rays = torch.randn(1, cameras, height // stride, width // stride, 3)
    with torch.no_grad():
        network(torch.randn(1, cameras, 3, height, width), rays, torch.zeros(1, cameras, 3))
    return cost
