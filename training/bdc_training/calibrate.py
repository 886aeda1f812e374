"""Fits one offset per class to a trained network's occupancy logits, so that it decides best on training samples.

Cross entropy rewards probabilities, IoU decisions: a class that is rarely the most likely one is never called, although
it should be. The offsets go into the bias of the head's last layer and cost nothing at run time. The score that they
make largest is mIoU + occupied IoU / 2; a class that no training sample has is never called.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .batches import BatchMaker
from .checkpoint import load_checkpoint, save_checkpoint
from .classes import OCCUPANCY_CLASSES
from .config import load_config
from .dataset import OccupancyDataset
from .network import Network, build_network
from .sample_spec import UNSEEN
from .training_data import batch_maker

CLASSES = len(OCCUPANCY_CLASSES)
# The search walks in steps of the first size until nothing gets better, then of the next. The first is large: a small
# one changes nothing for a class that is far from ever being called.
STEP_SIZES = (2.0, 1.0, 0.5, 0.25)


# Below every other logit.
NEVER = -50.0


def visible_logits(network: Network, maker: BatchMaker, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Logits [voxels, K] and labels [voxels] of the samples' visible voxels. Leaves the network in evaluation mode."""
    network.eval()
    logits, labels = [], []
    for index in indices:
        batch = maker.plain([index])
        with torch.no_grad():
            outputs = network(batch.images, batch.rays, batch.origins, batch.camera_mask)
        seen = batch.labels != UNSEEN
        _, nz, ny, nx = batch.labels.shape
        per_voxel = outputs["occupancy_logits"].reshape(1, nz, CLASSES, ny, nx).permute(0, 1, 3, 4, 2)
        logits.append(per_voxel[seen])
        labels.append(batch.labels[seen])
    return torch.cat(logits), torch.cat(labels)


def fit_offsets(logits: Tensor, labels: Tensor) -> Tensor:
    """Offsets [K] found by coordinate ascent from zero; classes that don't occur keep 0."""
    offsets = torch.zeros(CLASSES)
    best = _score(logits, labels)
    present = [int(label) for label in labels.unique()]
    for size in STEP_SIZES:
        improved = True
        while improved:
            improved = False
            for label in present:
                for step in (size, -size):
                    changed = offsets.clone()
                    changed[label] += step
                    score = _score(logits + changed, labels)
                    if score > best:
                        best, offsets, improved = score, changed, True
                        break
    return offsets


def _score(logits: Tensor, labels: Tensor) -> float:
    """mIoU as OccupancyMetric's, but over the classes that occur: one voxel of another shouldn't end the search."""
    pairs = labels * CLASSES + logits.argmax(1)
    confusion = torch.bincount(pairs, minlength=CLASSES**2).reshape(CLASSES, CLASSES).double().numpy()
    occurs = confusion.sum(1)[:-1] > 0
    union = confusion.sum(0) + confusion.sum(1) - np.diag(confusion)
    mean_iou = (np.diag(confusion)[:-1][occurs] / union[:-1][occurs]).mean()
    # Of occupied against free (the last class), whatever the class.
    occupied_iou = confusion[:-1, :-1].sum() / max(1, confusion.sum() - confusion[-1, -1])
    return float(mean_iou + occupied_iou / 2)


def absent_classes(dataset: OccupancyDataset) -> list[int]:
    """Classes that no visible voxel of the data set has."""
    counts = np.zeros(CLASSES, dtype=np.int64)
    for index in range(len(dataset)):
        labels = dataset.labels(index)
        counts += np.bincount(labels[labels != UNSEEN], minlength=CLASSES)
    return np.flatnonzero(counts == 0).tolist()


def add_offsets(network: Network, offsets: Tensor) -> None:
    """Into the bias of the last layer, whose channel is z · K + class."""
    bias = network.occupancy_head.logits.bias
    with torch.no_grad():
        bias += offsets.repeat(len(bias) // CLASSES)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.calibrate", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the YAML file it was trained with")
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint.pt of bdc_training.train")
    parser.add_argument("--data", type=Path, required=True, help="data set it was trained on")
    parser.add_argument("--cache", type=Path, help="folder for prepared samples (default: cache/ in the data set)")
    parser.add_argument("--samples", type=int, default=60, help="fit to the first so many samples (default: 60)")
    parser.add_argument("--threads", type=int, help="of PyTorch (default: one per core)")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads or os.cpu_count() or 1)
    config = load_config(options.config)
    network = build_network(config)
    checkpoint = load_checkpoint(options.checkpoint)
    network.load_state_dict(checkpoint.network)
    maker = batch_maker(config, options.data, options.cache)
    offsets = fit_offsets(*visible_logits(network, maker, range(min(options.samples, len(maker.dataset)))))
    offsets[absent_classes(maker.dataset)] = NEVER
    add_offsets(network, offsets)
    save_checkpoint(options.out, replace(checkpoint, network=network.state_dict()))
    for known, offset in zip(OCCUPANCY_CLASSES, offsets.tolist(), strict=True):
        print(f"{known.name:<20} {offset:+.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
