"""Training losses. Shapes: B samples, N cameras, D depth bins, K classes, h × w feature cells, nz × ny × nx voxels.

Means are over what all training processes see, so that several with a share of a batch each find the gradient of one
with the whole batch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from . import fused
from .batches import Batch
from .detection_targets import CODE_SIZES
from .distributed import normaliser
from .sample_spec import UNSEEN
from .soft_iou import IouSums, RunningIou, iou_sums, soft_iou_loss


@dataclass(frozen=True)
class LossWeights:
    # Of the soft IoU beside the cross entropy, whose weight is 1; 0: it isn't computed.
    iou: float = 0.0
    depth: float = 0.15
    heatmap: float = 1.0
    box: float = 0.25
    # Of each velocity component relative to the rest of the box code.
    velocity: float = 0.2


def occupancy_loss(logits: Tensor, labels: Tensor, class_weights: Tensor) -> Tensor:
    """Weighted cross entropy over the visible voxels.

    logits [B, nz·K, ny, nx] (channel z·K + class), labels [B, nz, ny, nx].
    """
    batch, nz, ny, nx = labels.shape
    classes = len(class_weights)
    # Channels are ordered z before class, so each height becomes an image of its own without a copy.
    per_height = logits.reshape(batch * nz, classes, ny, nx)
    per_height_labels = labels.reshape(batch * nz, ny, nx)
    total = F.cross_entropy(per_height, per_height_labels, weight=class_weights, ignore_index=UNSEEN, reduction="sum")
    return total / normaliser(class_weights[labels[labels != UNSEEN]].sum())


def occupancy_losses(logits: Tensor, labels: Tensor, class_weights: Tensor) -> tuple[Tensor, IouSums]:
    """`occupancy_loss` and `iou_sums`."""
    if not fused.usable(logits):
        return occupancy_loss(logits, labels, class_weights), iou_sums(logits, labels)
    share, at_label, loss = fused.occupancy_sums(logits, labels, class_weights, UNSEEN)
    seen = labels != UNSEEN
    batch, classes = share.shape
    counts = torch.stack([torch.bincount(labels[i][seen[i]], minlength=classes) for i in range(batch)])
    cross_entropy = loss.sum() / normaliser((counts * class_weights).sum())
    truth = counts[:, :-1].to(share.dtype)
    both = at_label[:, :-1]
    return cross_entropy, IouSums(both, share[:, :-1] + truth - both, truth)


def depth_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy against soft targets, [B, N, D, h, w] both; mean over the cells that have a target."""
    # Cells without a target are all zero and add nothing.
    per_cell = -(targets * F.log_softmax(logits, dim=2)).sum(2)
    known = targets.sum(2) > 0
    return per_cell.sum() / normaliser(known.sum())


def heatmap_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """CornerNet's focal loss (alpha 2, beta 4) per object; [B, classes, ny, nx], targets are 1 at centres."""
    probability = torch.sigmoid(logits)
    positive = targets == 1
    at_centers = (1 - probability).square() * F.logsigmoid(logits) * positive
    elsewhere = (1 - targets).pow(4) * probability.square() * F.logsigmoid(-logits)
    return -(at_centers + elsewhere).sum() / normaliser(positive.sum())


def box_loss(outputs: dict[str, Tensor], batch: Batch, velocity_weight: float) -> Tensor:
    """L1 of the box code at the objects' cells: sum over the code, mean over objects, no unknown velocities."""
    maps = torch.cat([outputs[name] for name in CODE_SIZES], dim=1).flatten(2)
    predicted = maps[batch.object_samples, :, batch.object_cells]
    known = torch.isfinite(batch.object_codes)
    error = (predicted - torch.where(known, batch.object_codes, predicted.detach())).abs()
    weights = error.new_ones(error.shape[1])
    weights[-CODE_SIZES["vel"] :] = velocity_weight
    return (error * weights).sum() / normaliser(torch.tensor(len(error), device=error.device))


def total_loss(
    outputs: dict[str, Tensor],
    batch: Batch,
    class_weights: Tensor,
    weights: LossWeights,
    running_iou: RunningIou | None = None,
    taught: Mapping[str, Tensor] | None = None,
    taught_share: float = 0.0,
) -> tuple[Tensor, dict[str, float]]:
    """The sum to minimise, and its unweighted parts for the log, which are those against the labels.

    Parts of a head that the network hasn't are 0. With `running_iou` the soft IoU is that over the latest batches, to
    which this one is added; without, each sample's own.

    `taught` has losses against a teacher (bdc_training.distillation) that take `taught_share` of their part's weight.
    """
    depth = depth_loss(outputs["depth_logits"], batch.depth)
    occupancy = iou = heatmap = box = torch.zeros((), device=depth.device)
    if "occupancy_logits" in outputs:
        logits = outputs["occupancy_logits"]
        if weights.iou > 0:
            occupancy, sums = occupancy_losses(logits, batch.labels, class_weights)
            iou = soft_iou_loss(sums) if running_iou is None else running_iou.loss(sums)
        else:
            occupancy = occupancy_loss(logits, batch.labels, class_weights)
    if "heatmap" in outputs:
        heatmap = heatmap_loss(outputs["heatmap"], batch.heatmap)
        box = box_loss(outputs, batch, weights.velocity)
    parts = {"occupancy": occupancy, "iou": iou, "depth": depth, "heatmap": heatmap, "box": box}
    part_weights = {"occupancy": 1.0} | {name: getattr(weights, name) for name in parts if name != "occupancy"}
    total = torch.zeros((), device=occupancy.device)
    for name, loss in parts.items():
        if taught is not None and name in taught:
            loss = torch.lerp(loss, taught[name], taught_share)
        total = total + part_weights[name] * loss
    return total, {name: value.item() for name, value in parts.items()}
