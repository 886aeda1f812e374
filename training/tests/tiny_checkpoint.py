"""A checkpoint without a run behind it."""

from pathlib import Path

import torch
from torch import nn

from bdc_training.checkpoint import Checkpoint, save_checkpoint


def save_network(path: Path, network: nn.Module) -> Checkpoint:
    state = network.state_dict()
    optimizer = torch.optim.AdamW(network.parameters())
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    rng, weights = torch.get_rng_state(), torch.ones(18)
    checkpoint = Checkpoint(7, 0.25, 12.5, state, state, [optimizer.state_dict()], rng, weights)
    save_checkpoint(path, checkpoint)
    return checkpoint
