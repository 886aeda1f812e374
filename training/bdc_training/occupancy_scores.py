"""The occupancy figures of `bdc-occ evaluate`, computed in NumPy: docs/evaluation.md defines them.

Arrays are [x][y][z]. Everything is counted on the model's grid.
"""

from collections import deque

import numpy as np

from .classes import FREE, OCCUPANCY_CLASSES
from .metrics import CLASSES, MajorityPrior, OccupancyMetric
from .occupancy_labels import OCC3D_MIN, down_sample
from .sample_spec import UNSEEN, SampleSpec

# Between the ground and the bottom of the lowest voxel that counts as above it (m).
CLEARANCE = 0.4
FLAT = [
    label
    for label, known in enumerate(OCCUPANCY_CLASSES)
    if known.name in ("driveable_surface", "other_flat", "sidewalk", "terrain")
]


def ground_heights(labels: np.ndarray, bottom: float, voxel: float) -> np.ndarray:
    """Height of the ground in each column, [nx, ny], metres.

    The centre of the topmost voxel of the column's lowest run of flat classes; elsewhere that of the nearest such
    column (4-neighbourhood), 0 if there is none.
    """
    flat = np.isin(labels, FLAT)
    heights = np.full(labels.shape[:2], np.nan)
    queue: deque[tuple[int, int]] = deque()
    for i, j in zip(*np.nonzero(flat.any(2)), strict=True):
        column = flat[i, j]
        first = int(column.argmax())
        gaps = np.flatnonzero(~column[first:])
        top = first + (int(gaps[0]) if len(gaps) else len(column) - first) - 1
        heights[i, j] = bottom + (top + 0.5) * voxel
        queue.append((i, j))
    if not queue:
        return np.zeros_like(heights)
    while queue:
        i, j = queue.popleft()
        for a, b in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= a < heights.shape[0] and 0 <= b < heights.shape[1] and np.isnan(heights[a, b]):
                heights[a, b] = heights[i, j]
                queue.append((a, b))
    return heights


def above_ground(heights: np.ndarray, factor: int, spec: SampleSpec) -> np.ndarray:
    """True where a voxel's bottom is at least CLEARANCE above the highest ground of its column, [nx, ny, nz]."""
    nx, ny, nz = spec.grid_shape
    highest = heights.reshape(nx, factor, ny, factor).max((1, 3))
    size = (spec.grid_max[2] - spec.grid_min[2]) / nz
    bottoms = spec.grid_min[2] + size * np.arange(nz)
    return bottoms >= highest[:, :, None] + CLEARANCE - 1e-4 * size


class OccupancyScores:
    """Collects samples of one data set."""

    def __init__(self, spec: SampleSpec):
        self._spec = spec
        self._masked = {name: _Scores(spec) for name in ("visible", "all")}

    def add(self, semantics: np.ndarray, visible: np.ndarray, predicted: np.ndarray) -> None:
        """Occ3D's labels and camera mask of a sample, [200, 200, 16], and the prediction on the model's grid."""
        factor = semantics.shape[0] // self._spec.grid_shape[0]
        voxel = (self._spec.grid_max[0] - self._spec.grid_min[0]) / semantics.shape[0]
        above = above_ground(ground_heights(semantics, OCC3D_MIN[2], voxel), factor, self._spec)
        for name, mask in (("visible", visible), ("all", np.ones_like(visible))):
            self._masked[name].add(down_sample(semantics, mask, factor), predicted, above)

    def report(self) -> dict[str, object]:
        """Laid out as the JSON of `bdc-occ evaluate`."""
        return {**self._masked["visible"].report(), "all_voxels": self._masked["all"].report()}


class _Scores:
    def __init__(self, spec: SampleSpec):
        self._all, self._above = OccupancyMetric(), OccupancyMetric()
        self._prior = MajorityPrior(spec.grid_shape)
        self._histogram = np.zeros((CLASSES, *spec.grid_shape), dtype=np.int32)
        self._above_histogram = np.zeros((CLASSES, *spec.grid_shape), dtype=np.int32)

    def add(self, labels: np.ndarray, predicted: np.ndarray, above: np.ndarray) -> None:
        self._all.add(labels, predicted)
        labels_above = np.where(above, labels, UNSEEN)
        self._above.add(labels_above, predicted)
        self._prior.add(labels)
        for label in range(CLASSES):
            self._histogram[label] += labels == label
            self._above_histogram[label] += labels_above == label

    def report(self) -> dict[str, object]:
        prior = [_of_constant(self._prior.prediction(), h) for h in (self._histogram, self._above_histogram)]
        return {**_figures(self._all, self._above), "prior": _figures(*prior)}


def _of_constant(prediction: np.ndarray, histogram: np.ndarray) -> OccupancyMetric:
    metric = OccupancyMetric()
    for label in range(CLASSES):
        metric.confusion[label] = np.bincount(prediction.ravel(), histogram[label].ravel(), CLASSES).astype(np.int64)
    return metric


def _figures(metric: OccupancyMetric, above: OccupancyMetric) -> dict[str, object]:
    ious = metric.class_iou()
    total_above = above.confusion.sum() - above.confusion[FREE, FREE]
    return {
        "miou": metric.mean_iou(),
        "iou_per_class": {
            known.name: None if np.isnan(iou) else float(iou)
            for known, iou in zip(OCCUPANCY_CLASSES, ious, strict=False)
        },
        "occupied_iou": metric.occupied_iou(),
        "occupied_iou_above_ground": above.occupied_iou() if total_above else None,
    }
