"""Learning from a trained network: its full-precision twin teaches a binary network (arXiv 1503.02531)."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import fused
from .batches import Batch
from .checkpoint import load_weights
from .config import load_config
from .distributed import normaliser
from .network import build_network
from .sample_spec import UNSEEN

Outputs = dict[str, Tensor]


@dataclass(frozen=True)
class DistillationConfig:
    # The folder of the teacher's training run: its config.yaml and checkpoint.pt, relative to the working directory.
    # Empty: no distillation.
    teacher: str = ""
    # Share of the teacher's soft targets in the losses of occupancy, depth and heatmap; the rest is the labels'.
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share: expected 0 to 1; found {self.share}")


class Teacher:
    """A trained network, frozen. @raises ValueError, FileNotFoundError if `config.teacher` isn't a training run."""

    def __init__(self, config: DistillationConfig, device: torch.device):
        folder = Path(config.teacher)
        self.network: nn.Module = build_network(load_config(folder / "config.yaml"))
        load_weights(self.network, folder / "checkpoint.pt")
        self.network.to(device, memory_format=torch.channels_last).requires_grad_(False).eval()


def distillation_losses(outputs: Outputs, taught: Outputs, batch: Batch, class_weights: Tensor) -> dict[str, Tensor]:
    """The losses against a teacher's outputs, by the names and in the scale of bdc_training.losses.

    Of the heads that there are. Occupancy: cross entropy with the teacher's probabilities over the visible voxels,
    weighted by class as the labels' loss is. Depth: cross entropy over the cells with returns. Heatmap: quality focal
    loss (arXiv 2006.04388).
    """
    known = batch.depth.sum(2) > 0
    per_cell = -(taught["depth_logits"].softmax(2) * F.log_softmax(outputs["depth_logits"], dim=2)).sum(2)
    depth = (per_cell * known).sum() / normaliser(known.sum())
    losses = {"depth": depth}
    if "occupancy_logits" in outputs:
        both = outputs["occupancy_logits"], taught["occupancy_logits"]
        losses["occupancy"] = _occupancy_loss(*both, batch, class_weights)
    if "heatmap" in outputs:
        losses["heatmap"] = _heatmap_loss(outputs["heatmap"], taught["heatmap"], batch)
    return losses


def _occupancy_loss(logits: Tensor, taught: Tensor, batch: Batch, class_weights: Tensor) -> Tensor:
    if fused.usable(logits, taught):
        loss, weight = fused.taught_sums(logits, taught, batch.labels, class_weights, UNSEEN)
        return loss / normaliser(weight)
    size, nz, ny, nx = batch.labels.shape
    shape = (size, nz, len(class_weights), ny, nx)
    logits, soft = logits.view(shape), taught.view(shape).softmax(2)
    weighted = soft * class_weights.view(-1, 1, 1)
    visible = (batch.labels != UNSEEN).unsqueeze(2)
    return -(weighted * visible * F.log_softmax(logits, 2)).sum() / normaliser((weighted * visible).sum())


def _heatmap_loss(predicted: Tensor, taught: Tensor, batch: Batch) -> Tensor:
    target = taught.sigmoid()
    distance = (target - predicted.sigmoid()).square()
    entropy = F.binary_cross_entropy_with_logits(predicted, target, reduction="none")
    return (distance * entropy).sum() / normaliser((batch.heatmap == 1).sum())
