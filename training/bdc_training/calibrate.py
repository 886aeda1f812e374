"""Fits a trained network to its data without training: batch norms' statistics, then offsets to the occupancy logits.

The statistics are estimated anew (bdc_training.norm_statistics). The offsets, per height and class, are for the best
decisions: cross entropy rewards probabilities, IoU decisions, and a class that is rarely the most likely one is never
called, although it should be. They go into the bias of the head's last layer and cost nothing at run time. The score
that they make largest is mIoU + occupied IoU / 2; a class that no training sample has is never called.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .arguments import non_negative_int, positive_int
from .batches import BatchMaker
from .checkpoint import load_weights, save_checkpoint
from .classes import OCCUPANCY_CLASSES
from .config import load_config
from .dataset import OccupancyDataset
from .mixed_precision import MixedPrecision, autocast
from .network import Network, build_network
from .norm_statistics import estimate_norm_statistics, spread_batches
from .sample_spec import UNSEEN
from .training_config import training_config
from .training_data import batch_maker

CLASSES = len(OCCUPANCY_CLASSES)
# The search walks in steps of the first size until nothing gets better, then of the next. The first is large: a small
# one changes nothing for a class that is far from ever being called.
STEP_SIZES = (4.0, 2.0, 1.0, 0.5, 0.25)
# Below every other logit.
NEVER = -50.0


@dataclass(frozen=True)
class Layer:
    """The visible voxels of one height: logits [voxels, K] and labels [voxels]."""

    logits: Tensor
    labels: Tensor


class _Decisions:
    """What a layer's voxels are called with offsets, and would be with another offset of one class."""

    def __init__(self, layer: Layer, offsets: Tensor):
        self._logits = layer.logits.T.contiguous()
        self._labels = layer.labels
        self._offsets = offsets.clone()
        self._decide()

    def _decide(self) -> None:
        values, classes = (self._logits + self._offsets[:, None]).topk(2, dim=0)
        (self._best, self._next_best), (self._called, self._next) = values, classes
        self.confusion = self._counts(self._labels, self._called)

    def change(self, label: int, step: float) -> np.ndarray:
        """What is added to `confusion` [K, K], row = label, if the class's offset gets `step` larger."""
        values = self._logits[label] + (self._offsets[label] + step)
        if step > 0:
            others = ((values > self._best) & (self._called != label)).nonzero()[:, 0]
            called = torch.full_like(others, label)
        else:
            others = ((values < self._next_best) & (self._called == label)).nonzero()[:, 0]
            called = self._next[others]
        labels = self._labels[others]
        return self._counts(labels, called) - self._counts(labels, self._called[others])

    def move(self, label: int, step: float) -> None:
        self._offsets[label] += step
        self._decide()

    @staticmethod
    def _counts(labels: Tensor, called: Tensor) -> np.ndarray:
        pairs = torch.bincount(labels * CLASSES + called, minlength=CLASSES**2)
        return pairs.reshape(CLASSES, CLASSES).double().numpy()


def visible_layers(
    network: Network, maker: BatchMaker, indices: Sequence[int], precision: MixedPrecision = "float32"
) -> list[Layer]:
    """The samples' visible voxels by height. Leaves the network in evaluation mode."""
    network.eval()
    logits: list[list[Tensor]] = []
    labels: list[list[Tensor]] = []
    for index in indices:
        batch = maker.plain([index])
        with torch.no_grad(), autocast(precision, batch.images.device):
            outputs = network(*batch.inputs)
        heights = batch.labels.shape[1]
        per_height = outputs["occupancy_logits"][0].unflatten(0, (heights, CLASSES)).permute(0, 2, 3, 1)
        seen = batch.labels[0] != UNSEEN
        logits.append([values[mask] for values, mask in zip(per_height, seen, strict=True)])
        labels.append([values[mask] for values, mask in zip(batch.labels[0], seen, strict=True)])
    parts = zip(zip(*logits, strict=True), zip(*labels, strict=True), strict=True)
    return [Layer(torch.cat(a), torch.cat(b)) for a, b in parts]


def fit_offsets(layers: Sequence[Layer]) -> Tensor:
    """Offsets [heights, K] by coordinate ascent from zero: each class at all heights together, then at each by itself.

    A class that doesn't occur (at a height) keeps 0 (keeps there what it has at all).
    """
    offsets = torch.zeros(len(layers), CLASSES)
    everywhere = list(range(len(layers)))
    together = [(everywhere, label) for label in _present(layers)]
    apart = [([z], label) for z, layer in enumerate(layers) for label in _present([layer])]
    for moves in (together, apart):
        offsets = _ascend(layers, offsets, moves)
    return offsets


def _present(layers: Sequence[Layer]) -> list[int]:
    return torch.cat([layer.labels for layer in layers]).unique().tolist()


def _ascend(layers: Sequence[Layer], offsets: Tensor, moves: Sequence[tuple[list[int], int]]) -> Tensor:
    """Moves (heights, class) by STEP_SIZES, as long as one of them makes the score larger."""
    offsets = offsets.clone()
    decisions = [_Decisions(layer, offsets[z]) for z, layer in enumerate(layers)]
    total = sum(layer.confusion for layer in decisions)
    best = _score(total)
    for size in STEP_SIZES:
        improved = True
        while improved:
            improved = False
            for heights, label in moves:
                for step in (size, -size):
                    changed = total + sum(decisions[z].change(label, step) for z in heights)
                    score = _score(changed)
                    if score > best:
                        best, total, improved = score, changed, True
                        offsets[heights, label] += step
                        for z in heights:
                            decisions[z].move(label, step)
                        break
    return offsets


def _score(confusion: np.ndarray) -> float:
    """mIoU as OccupancyMetric's, but over the classes that occur: one voxel of another shouldn't end the search."""
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
    """[heights, K], into the bias of the last layer, whose channel is z · K + class."""
    with torch.no_grad():
        network.occupancy_head.logits.bias += offsets.flatten()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.calibrate", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the YAML file it was trained with")
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint.pt of bdc_training.train")
    parser.add_argument("--data", type=Path, required=True, help="data set it was trained on")
    parser.add_argument("--cache", type=Path, help="folder for prepared samples (default: cache/ in the data set)")
    parser.add_argument(
        "--samples", type=positive_int, default=160, help="fit to the first so many samples (default: 160)"
    )
    parser.add_argument(
        "--norm-samples",
        type=non_negative_int,
        default=256,
        help="estimate batch norms' statistics from so many; 0 keeps those of the run (default: 256)",
    )
    parser.add_argument("--threads", type=positive_int, help="of PyTorch (default: one per core)")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads or os.cpu_count() or 1)
    try:
        offsets = _calibrate(options)
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted; nothing was written", file=sys.stderr)
        return 130
    print("offsets by height, the lowest first")
    for known, column in zip(OCCUPANCY_CLASSES, offsets.T.tolist(), strict=True):
        print(f"{known.name:<20} {' '.join(f'{offset:+6.2f}' for offset in column)}")
    return 0


def _calibrate(options: argparse.Namespace) -> Tensor:
    """Writes the checkpoint; the offsets [heights, K]."""
    config = load_config(options.config)
    if config.heads.occupancy == "none":
        raise ValueError(f"{options.config} has no occupancy head, whose logits calibration moves")
    network = build_network(config)
    checkpoint = load_weights(network, options.checkpoint)
    maker = batch_maker(config, options.data, options.cache)
    settings = training_config(config.training)
    precision = settings.mixed_precision
    if options.norm_samples:
        batches = spread_batches(options.norm_samples, len(maker.dataset), settings.batch_size)
        estimate_norm_statistics(network, maker, batches, precision)
    indices = range(min(options.samples, len(maker.dataset)))
    offsets = fit_offsets(visible_layers(network, maker, indices, precision))
    offsets[:, absent_classes(maker.dataset)] = NEVER
    add_offsets(network, offsets)
    save_checkpoint(options.out, replace(checkpoint, network=network.state_dict()))
    return offsets


if __name__ == "__main__":
    sys.exit(main())
