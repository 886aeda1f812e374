"""Random zoom, cut-out and roll of camera images, as maps of pixels [3, 3] (pixel centres at whole numbers)."""

import numpy as np
from PIL import Image


def random_pixel_maps(
    cameras: int, size: tuple[int, int], zoom: float, rotation: float, rng: np.random.Generator
) -> np.ndarray:
    """New pixel from old pixel, float64 [cameras, 3, 3], for images of `size` (width, height).

    Each image is turned by up to ±`rotation` degrees about its middle, enlarged by up to the share `zoom`, and cut back
    to its size anywhere within.
    """
    width, height = size
    maps = np.empty((cameras, 3, 3))
    for i in range(cameras):
        factor = 1 + rng.uniform(0, zoom)
        angle = np.radians(rng.uniform(-rotation, rotation))
        # The enlarged image reaches this far beyond the cut on either side.
        shift = rng.uniform(-1, 1, 2) * (factor - 1) / 2 * np.array([width, height])
        middle = np.array([(width - 1) / 2, (height - 1) / 2])
        turn = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        maps[i] = np.eye(3)
        maps[i, :2, :2] = turn
        maps[i, :2, 2] = middle + shift - turn @ middle
    return maps


def warp_image(image: np.ndarray, new_from_old: np.ndarray) -> np.ndarray:
    """uint8 [3, H, W] → the same, bilinear; black where the old image had nothing."""
    old_from_new = np.linalg.inv(new_from_old)
    # Pillow's coordinates have pixel centres at halves.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    coefficients = (half @ old_from_new @ np.linalg.inv(half))[:2].ravel()
    picture = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
    warped = picture.transform(picture.size, Image.AFFINE, tuple(coefficients), Image.BILINEAR)
    return np.ascontiguousarray(np.asarray(warped).transpose(2, 0, 1))
