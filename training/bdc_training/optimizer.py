"""Which parameters are learned how."""

from typing import Literal

import torch
from torch import nn

from .binary import BinaryConv2d
from .muon import Muon

OptimizerName = Literal["adamw", "muon"]


def build_optimizers(
    network: nn.Module, name: OptimizerName, learning_rate: float, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """AdamW, or Muon for the hidden convolutions and AdamW for the rest; each parameter belongs to one of them.

    Decays the weights of real convolutions and linear layers only: a binary weight's size carries no meaning but its
    distance from a sign change, and norms, thresholds and slopes are not matrices.
    """
    binary, hidden, others = [], [], []
    for module in network.modules():
        if isinstance(module, BinaryConv2d):
            binary.append(module.weight)
        elif isinstance(module, nn.Conv2d) and module.bias is None and module.groups == 1:
            hidden.append(module.weight)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            others.append(module.weight)
    if name == "adamw":
        others += hidden
    matrices = [*binary, *hidden] if name == "muon" else []
    chosen = {id(parameter) for parameter in [*others, *matrices]}
    undecayed = [parameter for parameter in network.parameters() if id(parameter) not in chosen]
    adamw = torch.optim.AdamW(
        [{"params": others, "weight_decay": weight_decay}, {"params": undecayed, "weight_decay": 0.0}],
        lr=learning_rate,
        # All parameters of a kind at once: there are hundreds of small ones.
        foreach=True,
    )
    if name == "adamw":
        return [adamw]
    groups = [{"params": hidden, "weight_decay": weight_decay}, {"params": binary, "weight_decay": 0.0}]
    return [adamw, Muon([group for group in groups if group["params"]], lr=learning_rate)]
