"""A network on a GPU, for callers whose tensors are on the CPU."""

import torch
from torch import Tensor, nn


class DeviceInterface(nn.Module):
    """Takes and returns tensors on the CPU; the network works where its parameters are."""

    def __init__(self, network: nn.Module, device: torch.device):
        super().__init__()
        self.network = network
        self._device = device

    def forward(self, *inputs: Tensor) -> dict[str, Tensor]:
        outputs = self.network(*(tensor.to(self._device) for tensor in inputs))
        return {name: tensor.cpu() for name, tensor in outputs.items()}
