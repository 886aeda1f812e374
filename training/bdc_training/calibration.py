"""What a network that knows its cameras' calibration is given of each: BEVDepth's 27 numbers (arXiv 2206.10092).

In the published code's order: fx, fy, cx, cy of the camera's own image; from its pixels to the network image's r00 r01
t0 r10 r11 t1; of the world's augmentation b00 b01 b10 b11 b22; the rows of the 3×4 matrix from the camera's optical
frame to the ego frame. Pixels have their centres at whole numbers.
"""

import numpy as np
from torch import Tensor

PARAMETERS = 27
# Where the parts are.
INTRINSICS, PIXELS, WORLD, MOUNT = slice(0, 4), slice(4, 10), slice(10, 15), slice(15, 27)
IDENTITY = np.array([1, 0, 0, 1, 1], dtype=np.float32)


def camera_parameters(intrinsics: np.ndarray, pixels: np.ndarray, ego_from_camera: np.ndarray) -> np.ndarray:
    """float32 [27] from the camera image's intrinsics [3, 3], the network image's pixels from the camera image's
    [3, 3], and the mount [4, 4]; without augmentation of the world."""
    focal = intrinsics[0, 0], intrinsics[1, 1], intrinsics[0, 2], intrinsics[1, 2]
    return np.concatenate([focal, pixels[:2].ravel(), IDENTITY, ego_from_camera[:3].ravel()]).astype(np.float32)


def unknown_parameters(cameras: int) -> np.ndarray:
    """[cameras, 27] of cameras that aren't there."""
    parameters = np.zeros((cameras, PARAMETERS), dtype=np.float32)
    parameters[:, WORLD] = IDENTITY
    return parameters


def with_pixels(parameters: np.ndarray, new_from_old: np.ndarray) -> np.ndarray:
    """[N, 27] after the network's images were warped by [N, 3, 3] (or [3, 3], all alike)."""
    old = np.tile(np.eye(3), (len(parameters), 1, 1))
    old[:, :2] = parameters[:, PIXELS].reshape(-1, 2, 3)
    changed = parameters.copy()
    changed[:, PIXELS] = (new_from_old @ old)[:, :2].reshape(-1, 6)
    return changed


def with_world(parameters: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """[N, 27] after the world was mirrored, turned about z or scaled by [3, 3]."""
    b00, b01, b10, b11, b22 = parameters[0, WORLD]
    world = matrix @ np.array([[b00, b01, 0], [b10, b11, 0], [0, 0, b22]])
    changed = parameters.copy()
    changed[:, WORLD] = world[[0, 0, 1, 1, 2], [0, 1, 0, 1, 2]]
    return changed


def world_matrices(parameters: Tensor) -> Tensor:
    """The augmentation of each sample's world, float64 [B, 4, 4], from [B, N, 27]."""
    b = parameters[:, 0, WORLD].double()
    matrices = b.new_zeros(len(b), 4, 4)
    matrices[:, 0, :2], matrices[:, 1, :2], matrices[:, 2, 2], matrices[:, 3, 3] = b[:, :2], b[:, 2:4], b[:, 4], 1
    return matrices
