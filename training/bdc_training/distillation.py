"""Learning from a trained network: its full-precision twin teaches a binary network (arXiv 1503.02531)."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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

    def outputs(self, batch: Batch) -> Outputs:
        with torch.no_grad():
            return self.network(batch.images, batch.rays, batch.origins, batch.camera_mask)


def distillation_losses(outputs: Outputs, taught: Outputs, batch: Batch, class_weights: Tensor) -> dict[str, Tensor]:
    """The losses against a teacher's outputs, by the names and in the scale of bdc_training.losses.

    Occupancy: cross entropy with the teacher's probabilities over the visible voxels, weighted by class as the labels'
    loss is. Depth: cross entropy over the cells with returns. Heatmap: quality focal loss (arXiv 2006.04388).
    """
    size, nz, ny, nx = batch.labels.shape
    shape = (size, nz, len(class_weights), ny, nx)
    logits, soft = outputs["occupancy_logits"].view(shape), taught["occupancy_logits"].view(shape).softmax(2)
    weighted = soft * class_weights.view(-1, 1, 1)
    visible = (batch.labels != UNSEEN).unsqueeze(2)
    occupancy = -(weighted * visible * F.log_softmax(logits, 2)).sum() / normaliser((weighted * visible).sum())

    known = batch.depth.sum(2) > 0
    per_cell = -(taught["depth_logits"].softmax(2) * F.log_softmax(outputs["depth_logits"], dim=2)).sum(2)
    depth = (per_cell * known).sum() / normaliser(known.sum())

    target, predicted = taught["heatmap"].sigmoid(), outputs["heatmap"]
    distance = (target - predicted.sigmoid()).square()
    entropy = F.binary_cross_entropy_with_logits(predicted, target, reduction="none")
    heatmap = (distance * entropy).sum() / normaliser((batch.heatmap == 1).sum())
    return {"occupancy": occupancy, "depth": depth, "heatmap": heatmap}
