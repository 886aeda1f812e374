"""Occ3D's metric: one confusion matrix over all samples, visible voxels only."""

import numpy as np

from .classes import FREE, OCCUPANCY_CLASSES
from .sample_spec import UNSEEN

CLASSES = len(OCCUPANCY_CLASSES)


class OccupancyMetric:
    """Collects samples; rows of `confusion` are true classes, columns predicted ones."""

    def __init__(self) -> None:
        self.confusion = np.zeros((CLASSES, CLASSES), dtype=np.int64)

    def add(self, labels: np.ndarray, predicted: np.ndarray) -> None:
        """Arrays of one shape; voxels labelled UNSEEN don't count."""
        seen = labels != UNSEEN
        pairs = labels[seen].astype(np.int64) * CLASSES + predicted[seen]
        self.confusion += np.bincount(pairs, minlength=CLASSES * CLASSES).reshape(CLASSES, CLASSES)

    def class_iou(self) -> np.ndarray:
        """IoU of each occupied class, [17]; NaN for a class that neither occurs nor was predicted."""
        diagonal = np.diag(self.confusion).astype(np.float64)
        union = self.confusion.sum(0) + self.confusion.sum(1) - diagonal
        with np.errstate(invalid="ignore"):
            return (diagonal / union)[:FREE]

    def mean_iou(self) -> float:
        """Mean over the occupied classes, NaN ones left out."""
        return float(np.nanmean(self.class_iou()))

    def occupied_iou(self) -> float:
        """IoU of occupied against free, whatever the class."""
        both = self.confusion[:FREE, :FREE].sum()
        return float(both / (self.confusion.sum() - self.confusion[FREE, FREE]))


class MajorityPrior:
    """The most frequent class of each voxel over the samples added (the lowest on a tie): what a constant can know."""

    def __init__(self, shape: tuple[int, int, int]):
        self._counts = np.zeros((CLASSES, *shape), dtype=np.int32)

    def add(self, labels: np.ndarray) -> None:
        for label in range(CLASSES):
            self._counts[label] += labels == label

    def prediction(self) -> np.ndarray:
        return self._counts.argmax(0).astype(np.uint8)
