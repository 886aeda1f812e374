"""Rays of an image's feature cells, the lift-splat's geometry (docs/model-format.md, "lift_splat")."""

import numpy as np

from .lens import EquidistantLens


def pixel_rays(
    pixel_from_camera: np.ndarray,
    ego_from_camera: np.ndarray,
    size: tuple[int, int],
    shape: tuple[int, int],
    lens: EquidistantLens | None = None,
) -> np.ndarray:
    """Directions in the ego frame, float32 [h, w, 3], scaled to 1 along the optical axis.

    `pixel_from_camera` [3, 3] are the network image's intrinsics, `ego_from_camera` [3, 3] the rotation, `size` the
    image's (width, height), `shape` the feature map's (h, w).
    NaN where `lens` sees nothing.
    """
    (width, height), (rows, columns) = size, shape
    u, v = np.meshgrid(np.linspace(0, width - 1, columns), np.linspace(0, height - 1, rows))
    pixels = np.stack([u, v, np.ones_like(u)], axis=-1)
    directions = pixels @ np.linalg.inv(pixel_from_camera).T
    if lens is not None:
        directions = lens.undistort(directions)
    return (directions @ ego_from_camera.T).astype(np.float32)
