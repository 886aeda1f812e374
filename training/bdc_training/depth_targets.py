"""LiDAR returns as depth distributions of an image's feature cells."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .lens import EquidistantLens
from .sample_spec import SampleSpec

# Returns nearer than this to the sensor (m) come from the vehicle itself.
MIN_RANGE = 1.0
# Five float32.
POINT_BYTES = 20


def load_points(path: Path) -> np.ndarray:
    """Points of a .pcd.bin (float32 x, y, z, intensity, ring each) in the LiDAR's frame, float64 [n, 3].

    Returns that aren't finite are left out, as are those of the vehicle itself.

    @raises ValueError if the file doesn't hold whole points.
    """
    content = path.read_bytes()
    if len(content) % POINT_BYTES:
        raise ValueError(
            f"{path}: expected whole points of {POINT_BYTES} bytes; found {len(content)}: the file may be cut off"
        )
    points = np.frombuffer(content, dtype="<f4").reshape(-1, 5)[:, :3].astype(np.float64)
    distance = np.linalg.norm(points, axis=1)
    return points[np.isfinite(distance) & (distance > MIN_RANGE)]


def bin_edges(depths: Sequence[float]) -> np.ndarray:
    """[D + 1]: half way between neighbouring bins' centres, and as far beyond the outermost ones."""
    centres = np.asarray(depths, dtype=np.float64)
    between = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - between[0]], between, [2 * centres[-1] - between[-1]]])


def depth_targets(
    points: np.ndarray, pixel_from_camera: np.ndarray, spec: SampleSpec, lens: EquidistantLens | None = None
) -> np.ndarray:
    """Share of a cell's returns in each depth bin, float32 [D, h, w]; all zero where no point fell into the cell.

    `points` [n, 3] are in the camera's optical frame, `pixel_from_camera` [3, 3] gives pixels of the network's image.
    """
    bins, (rows, columns) = len(spec.depths), spec.feature_shape
    depth = points[:, 2]
    index = np.searchsorted(bin_edges(spec.depths), depth, side="right") - 1
    near = (depth > 0) & (index >= 0) & (index < bins)
    points, index = points[near], index[near]
    pixels = (points if lens is None else lens.distort(points)) @ pixel_from_camera.T
    # Cell j covers the pixels from edge stride·j − 0.5 on.
    column = np.floor((pixels[:, 0] / pixels[:, 2] + 0.5) / spec.stride).astype(np.int64)
    row = np.floor((pixels[:, 1] / pixels[:, 2] + 0.5) / spec.stride).astype(np.int64)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    flat = (index[inside] * rows + row[inside]) * columns + column[inside]
    counts = np.bincount(flat, minlength=bins * rows * columns).reshape(bins, rows, columns)
    return (counts / np.maximum(1, counts.sum(0))).astype(np.float32)
