"""1 − soft IoU (Rahman and Wang 2016, "Optimizing Intersection-Over-Union in Deep Neural Networks"): Σ p·y over
Σ (p + y − p·y), of each occupied class. Shapes: B samples, K classes, nz × ny × nx voxels."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .distributed import normaliser, process_mean
from .sample_spec import UNSEEN


@dataclass(frozen=True)
class IouSums:
    """Of each sample's occupied classes, float32 [B, K − 1], over its visible voxels: Σ p·y, Σ (p + y − p·y), Σ y."""

    both: Tensor
    either: Tensor
    truth: Tensor


def iou_sums(logits: Tensor, labels: Tensor) -> IouSums:
    """logits [B, nz·K, ny, nx] (channel z·K + class), labels [B, nz, ny, nx]; the last class is free."""
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
    return IouSums(both, share.sum((1, 3, 4))[:, :-1] + truth - both, truth)


def soft_iou_loss(sums: IouSums) -> Tensor:
    """Of each sample by itself, mean over all samples' occupied classes that have any."""
    occurs = sums.truth > 0
    losses = torch.where(occurs, 1 - sums.both / sums.either.clamp(min=1), 0)
    return losses.sum() / normaliser(occurs.sum())


# A union of fewer is taken for so many: that of a class that nothing is called and that hasn't occurred yet.
FEWEST_VOXELS = 1e-3


class RunningIou:
    """Over the latest batches, as a data set's IoU is over all: one sample has few of a rare class, or none."""

    def __init__(self, classes: int, memory: float, device: torch.device):
        """`classes`: with the free one. `memory`: the share of the sums that is kept at a step, in [0, 1)."""
        self._memory = memory
        # Of every class Σ p·y, Σ (p + y − p·y), Σ y and the batches, each later one with more weight.
        self.sums = torch.zeros(4, classes - 1, device=device)

    def loss(self, batch: IouSums) -> Tensor:
        """1 − soft IoU over the latest batches and this one, mean over the classes that have occurred since the start.

        Its gradient is that of the expected loss by this batch's probabilities: with the batches' mean intersection I
        and union U, d(1 − I / U) = dU · I / U² − dI / U. So a class called where there is none costs something in a
        batch without that class too.
        """
        both, either, truth = (values.sum(0) for values in (batch.both, batch.either, batch.truth))
        latest = process_mean(torch.stack([both, either, truth, torch.ones_like(both)]))
        self.sums = self._memory * self.sums + latest
        intersection, union, _, batches = self.sums
        # In voxels of a process's share of a batch.
        union = (union / batches).clamp(min=FEWEST_VOXELS)
        iou = intersection / batches / union
        slope = (either * iou - both) / union
        losses = 1 - iou + slope - slope.detach()
        occurs = self.sums[2] > 0
        return torch.where(occurs, losses, 0).sum() / occurs.sum().clamp(min=1)
