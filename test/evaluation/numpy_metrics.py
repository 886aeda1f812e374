"""mIoU and RayIoU once more, in NumPy and another way: python numpy_metrics.py FOLDER, one JSON object.

FOLDER holds sample-*.npz (prediction, truth, mask: uint8 [200, 200, 16]; origins: float32 [n, 3]). Rays are not walked voxel by voxel: all
their crossings with planes of voxel borders are sorted, and the middle of each piece says which voxel it is in.
"""

import json
import sys
from pathlib import Path

import numpy as np

CLASSES, FREE = 18, 17
MIN, SIZE, SHAPE = np.array([-40.0, -40.0, -1.0]), 0.4, np.array([200, 200, 16])


def directions() -> np.ndarray:
    pitches = [-(np.pi / 2 - np.arctan(k + 1)) for k in range(10)]
    while pitches[-1] < 0.21:
        pitches.append(2 * pitches[-1] - pitches[-2])
    pitch, azimuth = np.meshgrid(pitches, np.deg2rad(np.arange(360)), indexing="ij")
    return np.stack([np.cos(pitch) * np.cos(azimuth), np.cos(pitch) * np.sin(azimuth), np.sin(pitch)], -1).reshape(
        -1, 3
    )


def ends(labels: np.ndarray, origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class, depth and voxel [n, 3] of each ray's end; free where it meets nothing."""
    crossings = [np.zeros((len(rays), 1))]
    for axis in range(3):
        planes = MIN[axis] + SIZE * np.arange(SHAPE[axis] + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            crossings.append((planes[None] - origin[axis]) / rays[:, axis : axis + 1])
    t = np.concatenate(crossings, 1)
    t = np.sort(np.where((t >= 0) & np.isfinite(t), t, 1e9), 1)
    middle = (t[:, :-1] + t[:, 1:]) / 2
    voxels = np.floor((origin + middle[..., None] * rays[:, None] - MIN) / SIZE).astype(int)
    inside = ((voxels >= 0) & (voxels < SHAPE)).all(-1) & (t[:, 1:] - t[:, :-1] > 1e-9)
    i, j, k = np.where(inside[..., None], voxels, 0).transpose(2, 0, 1)
    occupied = inside & (labels[i, j, k] != FREE)
    first = occupied.argmax(1)
    row = np.arange(len(rays))
    found = occupied[row, first]
    where = np.stack([i[row, first], j[row, first], k[row, first]], -1)
    return np.where(found, labels[tuple(where.T)], FREE), t[row, first + 1], where


def main(folder: Path) -> None:
    rays = directions()
    confusion = np.zeros((CLASSES, CLASSES), int)
    counts = {name: np.zeros((5, CLASSES)) for name in ("all", "visible")}
    for path in sorted(folder.glob("sample-*.npz")):
        with np.load(path) as file:
            prediction, truth, mask, origins = (file[name] for name in ("prediction", "truth", "mask", "origins"))
        seen = mask != 0
        np.add.at(confusion, (truth[seen], prediction[seen]), 1)
        for origin in origins.astype(float):
            label, depth, voxel = ends(truth, origin, rays)
            guess, guessed_depth, _ = ends(prediction, origin, rays)
            for name, counted in (("all", label != FREE), ("visible", (label != FREE) & (mask[tuple(voxel.T)] != 0))):
                a, b, error = label[counted], guess[counted], np.abs(depth - guessed_depth)[counted]
                counts[name][0] += np.bincount(a, minlength=CLASSES)
                counts[name][1] += np.bincount(b, minlength=CLASSES)
                for n, threshold in enumerate((1, 2, 4)):
                    counts[name][2 + n] += np.bincount(a[(a == b) & (error < threshold)], minlength=CLASSES)
    diagonal = np.diag(confusion)
    with np.errstate(invalid="ignore"):
        iou = (diagonal / (confusion.sum(0) + confusion.sum(1) - diagonal))[:FREE]
    result = {
        "miou": np.nanmean(iou),
        "occupied_iou": confusion[:FREE, :FREE].sum() / (confusion.sum() - confusion[FREE, FREE]),
    }
    for name, (truths, guesses, *hits) in counts.items():
        with np.errstate(invalid="ignore"):
            result[f"ray_iou_{name}"] = [np.nanmean((h / (truths + guesses - h))[:FREE]) for h in hits]
    json.dump(result, sys.stdout)


main(Path(sys.argv[1]))
