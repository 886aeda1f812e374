"""Rigid transforms as 4×4 float64 matrices; `a_from_b` takes points of frame b into frame a."""

from collections.abc import Sequence

import numpy as np


def transform(quaternion: Sequence[float], translation: Sequence[float]) -> np.ndarray:
    """From a quaternion in nuScenes' order (w, x, y, z), normalised here, and a translation in metres.

    @raises ValueError for a quaternion of length 0 or numbers that aren't finite.
    """
    norm = np.linalg.norm(quaternion)
    if np.shape(quaternion) != (4,) or np.shape(translation) != (3,) or not 0 < norm < np.inf:
        raise ValueError(f"expected a quaternion and a translation; found {quaternion}, {translation}")
    if not np.isfinite(translation).all():
        raise ValueError(f"expected a finite translation; found {translation}")
    w, x, y, z = np.asarray(quaternion, dtype=np.float64) / norm
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, 3] = translation
    return matrix


def quaternion(matrix: np.ndarray) -> list[float]:
    """(w, x, y, z) of a transform's rotation, w ≥ 0."""
    m = matrix[:3, :3]
    signs = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    w, x, y, z = np.sqrt(np.maximum(0, 1 + signs @ np.diag(m))) / 2
    return [
        float(w),
        float(np.copysign(x, m[2, 1] - m[1, 2])),
        float(np.copysign(y, m[0, 2] - m[2, 0])),
        float(np.copysign(z, m[1, 0] - m[0, 1])),
    ]


def invert(matrix: np.ndarray) -> np.ndarray:
    inverse = np.eye(4)
    inverse[:3, :3] = matrix[:3, :3].T
    inverse[:3, 3] = -matrix[:3, :3].T @ matrix[:3, 3]
    return inverse


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points [n, 3] into the parent frame."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]
