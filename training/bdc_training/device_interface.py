"""A network on a GPU, for callers whose tensors are on the CPU."""

import torch
from torch import Tensor, nn

from .previous import Previous


class DeviceInterface(nn.Module):
    """Takes and returns tensors on the CPU; the network works where its parameters are."""

    def __init__(self, network: nn.Module, device: torch.device):
        super().__init__()
        self.network = network
        self._device = device

    def forward(self, *inputs: Tensor | Previous | None) -> dict[str, Tensor]:
        outputs = self.network(*(None if value is None else value.to(self._device) for value in inputs))
        return {name: tensor.cpu() for name, tensor in outputs.items()}
