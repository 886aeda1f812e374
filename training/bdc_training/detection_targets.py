"""Training targets of the centre-based detection head (conventions: docs/model-format.md, "Detection targets")."""

import math
from dataclasses import dataclass

import numpy as np

# Columns of a box row.
LABEL, X, Y, Z, LENGTH, WIDTH, HEIGHT, YAW, VX, VY = range(10)
BOX_COLUMNS = 10
# reg 2, height 1, dim 3, rot 2, vel 2: the order of a code row.
CODE_SIZES = {"reg": 2, "height": 1, "dim": 3, "rot": 2, "vel": 2}
CODE_LENGTH = sum(CODE_SIZES.values())
# CenterPoint's settings: boxes this far off still overlap by MIN_OVERLAP; no peak is narrower than MIN_RADIUS cells.
MIN_OVERLAP = 0.1
MIN_RADIUS = 2


@dataclass(frozen=True)
class DetectionTargets:
    # float32 [classes, ny, nx], 1 at centres.
    heatmap: np.ndarray
    # int64 [n]: row · nx + column of each box's centre.
    cells: np.ndarray
    # float32 [n, CODE_LENGTH]; NaN where a velocity is unknown.
    codes: np.ndarray


def gaussian_radius(length: float, width: float, min_overlap: float = MIN_OVERLAP) -> float:
    """Largest shift (in cells, like the sizes) that keeps the IoU with the shifted box above `min_overlap`.

    The smallest over the three cases of CornerNet (shifted, inside, around).
    """
    total, area = length + width, length * width
    shifted = (total - math.sqrt(total**2 - 4 * area * (1 - min_overlap) / (1 + min_overlap))) / 2
    inside = (total - math.sqrt(total**2 - 4 * (1 - min_overlap) * area)) / 4
    around = (-total + math.sqrt(total**2 + 4 * (1 - min_overlap) * area / min_overlap)) / 4
    return min(shifted, inside, around)


def detection_targets(
    boxes: np.ndarray, classes: int, grid_min: tuple[float, ...], grid_max: tuple[float, ...], shape: tuple[int, int]
) -> DetectionTargets:
    """Targets of boxes [n, BOX_COLUMNS] on a map of `shape` (ny, nx); boxes centred off the grid are left out."""
    ny, nx = shape
    cell_x, cell_y = (grid_max[0] - grid_min[0]) / nx, (grid_max[1] - grid_min[1]) / ny
    heatmap = np.zeros((classes, ny, nx), dtype=np.float32)
    cells, codes = [], []
    for box in boxes:
        u, v = (box[X] - grid_min[0]) / cell_x, (box[Y] - grid_min[1]) / cell_y
        column, row = math.floor(u), math.floor(v)
        if not (0 <= column < nx and 0 <= row < ny and grid_min[2] <= box[Z] < grid_max[2]):
            continue
        radius = max(MIN_RADIUS, int(gaussian_radius(box[LENGTH] / cell_x, box[WIDTH] / cell_y)))
        _draw_gaussian(heatmap[int(box[LABEL])], row, column, radius)
        cells.append(row * nx + column)
        dimensions = np.log(box[[LENGTH, WIDTH, HEIGHT]])
        codes.append(
            [u - column, v - row, box[Z], *dimensions, math.sin(box[YAW]), math.cos(box[YAW]), box[VX], box[VY]]
        )
    return DetectionTargets(
        heatmap, np.array(cells, dtype=np.int64), np.array(codes, dtype=np.float32).reshape(-1, CODE_LENGTH)
    )


def _draw_gaussian(heatmap: np.ndarray, row: int, column: int, radius: int) -> None:
    """Raises the map to a Gaussian of sigma (2·radius + 1)/6 around the cell, where that is higher."""
    sigma = (2 * radius + 1) / 6
    top, bottom = max(0, row - radius), min(heatmap.shape[0], row + radius + 1)
    left, right = max(0, column - radius), min(heatmap.shape[1], column + radius + 1)
    dy = np.arange(top, bottom)[:, None] - row
    dx = np.arange(left, right)[None, :] - column
    patch = heatmap[top:bottom, left:right]
    np.maximum(patch, np.exp(-(dx**2 + dy**2) / (2 * sigma**2)), out=patch, casting="same_kind")
