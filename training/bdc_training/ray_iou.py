"""RayIoU (SparseOcc, arXiv 2312.17118) on Occ3D's grid, as `bdc-occ evaluate` has it: docs/evaluation.md defines it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .classes import FREE
from .metrics import CLASSES
from .nuscenes_tables import SampleRecord
from .occupancy_labels import OCC3D_MAX, OCC3D_MIN, OCC3D_SHAPE
from .rigid import apply, invert

# Metres by which the depths of prediction and truth may differ.
THRESHOLDS = (1, 2, 4)
# At most so many origins, spread evenly over the scene's key frames, and how far from the vehicle along x and y (m).
MAX_ORIGINS, REACH = 8, 39


def lidar_rays() -> np.ndarray:
    """Directions of length 1, [n, 3]: one a degree, at SparseOcc's elevations."""
    pitches = [np.arctan(k + 1) - np.pi / 2 for k in range(10)]
    while pitches[-1] < 0.21:
        pitches.append(pitches[-1] + (pitches[9] - pitches[8]))
    pitch, azimuth = np.meshgrid(pitches, np.deg2rad(np.arange(360)), indexing="ij")
    rays = np.stack([np.cos(pitch) * np.cos(azimuth), np.cos(pitch) * np.sin(azimuth), np.sin(pitch)], -1)
    return rays.reshape(-1, 3)


class RayOrigins:
    """Where the rays of a sample begin: where the LiDAR was at the key frames of its scene."""

    def __init__(self, records: Sequence[SampleRecord]):
        self._of_scene: dict[str, list[SampleRecord]] = {}
        for record in sorted(records, key=lambda record: record.timestamp):
            self._of_scene.setdefault(record.scene, []).append(record)

    def of(self, record: SampleRecord) -> np.ndarray:
        """[n, 3], metres, in the ego frame."""
        ego_from_global = invert(record.global_from_ego)
        places = np.stack(
            [
                record.ego_from_lidar[:3, 3]
                if other is record
                else apply(ego_from_global @ other.global_from_ego, other.ego_from_lidar[None, :3, 3])[0]
                for other in self._of_scene[record.scene]
            ]
        )
        places = places[(np.abs(places[:, :2]) < REACH).all(1)]
        if len(places) <= MAX_ORIGINS:
            return places
        chosen = [int(i * (len(places) - 1) / (MAX_ORIGINS - 1) + 0.5) for i in range(MAX_ORIGINS)]
        return places[chosen]


@dataclass(frozen=True)
class RayEnds:
    """Of each ray: the class of its first occupied voxel (FREE: it leaves the grid), that voxel's index in the flat
    grid, and the distance (m) at which the ray leaves it (0 for FREE)."""

    label: np.ndarray
    voxel: np.ndarray
    depth: np.ndarray


def ray_ends(labels: np.ndarray, origin: np.ndarray, rays: np.ndarray) -> RayEnds:
    """All rays [n, 3] from `origin` [3] go from voxel to voxel together (Amanatides & Woo 1987)."""
    shape, low = np.array(OCC3D_SHAPE), np.array(OCC3D_MIN)
    size = (np.array(OCC3D_MAX) - low) / shape
    flat_labels = labels.ravel()
    ends = RayEnds(np.full(len(rays), FREE, dtype=np.uint8), np.zeros(len(rays), dtype=np.int64), np.zeros(len(rays)))
    place = np.tile(np.floor((origin - low) / size).astype(np.int64), (len(rays), 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        border = np.where(rays == 0, np.inf, (low + (place + (rays > 0)) * size - origin) / rays)
        between = np.abs(size / rays)
    step, under_way = np.where(rays >= 0, 1, -1), np.arange(len(rays))
    while True:
        inside = ((place >= 0) & (place < shape)).all(1)
        place, border, under_way = place[inside], border[inside], under_way[inside]
        if len(under_way) == 0:
            return ends
        voxel = (place[:, 0] * shape[1] + place[:, 1]) * shape[2] + place[:, 2]
        # Of equal borders the last axis is crossed first.
        axis = 2 - border[:, ::-1].argmin(1)
        row = np.arange(len(axis))
        hit = flat_labels[voxel] != FREE
        ended = under_way[hit]
        ends.label[ended], ends.voxel[ended] = flat_labels[voxel[hit]], voxel[hit]
        ends.depth[ended] = border[row, axis][hit]
        place[row, axis] += step[under_way, axis]
        border[row, axis] += between[under_way, axis]
        place, border, under_way = place[~hit], border[~hit], under_way[~hit]


class RayIou:
    """Collects samples of one data set; `rays` [n, 3] are directions of length 1."""

    def __init__(self, rays: np.ndarray | None = None) -> None:
        self._rays = lidar_rays() if rays is None else rays
        self._all, self._visible = _Counts(), _Counts()

    def add(self, truth: np.ndarray, visible: np.ndarray, predicted: np.ndarray, origins: np.ndarray) -> None:
        """Classes, camera mask and predicted classes on Occ3D's grid, and origins [n, 3] in the ego frame."""
        for origin in origins:
            true, guess = ray_ends(truth, origin, self._rays), ray_ends(predicted, origin, self._rays)
            counted = true.label != FREE
            self._all.add(true, guess, counted)
            self._visible.add(true, guess, counted & (visible.ravel()[true.voxel] != 0))

    def report(self) -> dict[str, object]:
        """Laid out as the JSON of `bdc-occ evaluate`."""
        return {**self._all.report(), "camera_visible": self._visible.report()}


class _Counts:
    def __init__(self) -> None:
        self._true, self._guess = np.zeros(CLASSES), np.zeros(CLASSES)
        self._hits = np.zeros((len(THRESHOLDS), CLASSES))

    def add(self, true: RayEnds, guess: RayEnds, counted: np.ndarray) -> None:
        self._true += np.bincount(true.label[counted], minlength=CLASSES)
        self._guess += np.bincount(guess.label[counted], minlength=CLASSES)
        error = np.abs(true.depth - guess.depth)
        for hits, threshold in zip(self._hits, THRESHOLDS, strict=True):
            hit = counted & (true.label == guess.label) & (error < threshold)
            hits += np.bincount(true.label[hit], minlength=CLASSES)

    def report(self) -> dict[str, float | None]:
        """Mean over the occupied classes that occur or are predicted; None without any."""
        with np.errstate(invalid="ignore"):
            ious = (self._hits / (self._true + self._guess - self._hits))[:, :FREE]
        known = ~np.isnan(ious[0])
        means = ious[:, known].mean(1).tolist() if known.any() else [None] * len(THRESHOLDS)
        figures = {f"{threshold}m": mean for threshold, mean in zip(THRESHOLDS, means, strict=True)}
        return {**figures, "mean": float(np.mean(means)) if known.any() else None}
