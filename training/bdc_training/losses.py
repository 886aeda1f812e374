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


def soft_iou_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """1 − soft IoU (Rahman and Wang 2016, "Optimizing Intersection-Over-Union in Deep Neural Networks"): Σ p·y over
    Σ (p + y − p·y), over the visible voxels of a sample; mean over all samples' occupied classes that have any.

    logits and labels as `occupancy_loss` has them; the last class is free.
    """
    batch, nz, ny, nx = labels.shape
    classes = logits.shape[1] // nz
    visible = labels != UNSEEN
    known = torch.where(visible, labels, 0)
    # Of each sample and class; an unseen voxel counts as one of class 0 that has a share of 0.
    places = (known + classes * torch.arange(batch, device=labels.device)[:, None, None, None]).flatten()

    def per_class(values: Tensor) -> Tensor:
        return values.new_zeros(batch * classes).index_add(0, places, values.flatten()).view(batch, classes)[:, :-1]

    # [B, nz, K, ny, nx]
    share = logits.reshape(batch, nz, classes, ny, nx).softmax(2) * visible[:, :, None].to(logits.dtype)
    truth = per_class(visible.to(share.dtype))
    both = per_class(share.gather(2, known[:, :, None]))
    either = share.sum((1, 3, 4))[:, :-1] + truth - both
    occurs = truth > 0
    return _mean_iou_loss(both, either, occurs)


def occupancy_losses(logits: Tensor, labels: Tensor, class_weights: Tensor) -> tuple[Tensor, Tensor]:
    """`occupancy_loss` and `soft_iou_loss`."""
    if not fused.usable(logits):
        return occupancy_loss(logits, labels, class_weights), soft_iou_loss(logits, labels)
    share, at_label, loss = fused.occupancy_sums(logits, labels, class_weights, UNSEEN)
    seen = labels != UNSEEN
    batch, classes = share.shape
    counts = torch.stack([torch.bincount(labels[i][seen[i]], minlength=classes) for i in range(batch)])
    cross_entropy = loss.sum() / normaliser((counts * class_weights).sum())
    truth = counts[:, :-1]
    both = at_label[:, :-1]
    return cross_entropy, _mean_iou_loss(both, share[:, :-1] + truth - both, truth > 0)


def _mean_iou_loss(both: Tensor, either: Tensor, occurs: Tensor) -> Tensor:
    losses = torch.where(occurs, 1 - both / either.clamp(min=1), 0)
    return losses.sum() / normaliser(occurs.sum())


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
    taught: Mapping[str, Tensor] | None = None,
    taught_share: float = 0.0,
) -> tuple[Tensor, dict[str, float]]:
    """The sum to minimise, and its unweighted parts for the log, which are those against the labels.

    Parts of a head that the network hasn't are 0.

    `taught` has losses against a teacher (bdc_training.distillation) that take `taught_share` of their part's weight.
    """
    depth = depth_loss(outputs["depth_logits"], batch.depth)
    occupancy = iou = heatmap = box = torch.zeros((), device=depth.device)
    if "occupancy_logits" in outputs:
        logits = outputs["occupancy_logits"]
        if weights.iou > 0:
            occupancy, iou = occupancy_losses(logits, batch.labels, class_weights)
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
