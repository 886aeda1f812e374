"""AdamW with weight decay only where it makes sense."""

import torch
from torch import nn


def build_optimizer(network: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """Decays the weights of real convolutions and linear layers only: a binary weight's size carries no meaning but its
    distance from a sign change, and norms, thresholds and slopes are not matrices."""
    decayed = [module.weight for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    chosen = {id(parameter) for parameter in decayed}
    others = [parameter for parameter in network.parameters() if id(parameter) not in chosen]
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=learning_rate,
        # All parameters of a kind at once: there are hundreds of small ones.
        foreach=True,
    )
