"""Lens distortion of camera images, as ROS's CameraInfo and OpenCV define it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Halvings of the interval that holds an angle: below a millionth of a pixel.
BISECTIONS = 40


@dataclass(frozen=True)
class EquidistantLens:
    """An angle θ off the optical axis is seen at the radius θ (1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸), in focal lengths."""

    k: tuple[float, float, float, float]

    def distort(self, points: np.ndarray) -> np.ndarray:
        """Points [n, 3] in front of the camera, moved at equal depth to where a pinhole sees them at the same pixel."""
        offset = np.linalg.norm(points[:, :2], axis=1)
        angle = np.arctan2(offset, points[:, 2])
        # Near the axis the radius is the tangent.
        scale = np.where(offset > 0, self._radius(angle) * points[:, 2] / np.where(offset > 0, offset, 1), 1)
        return np.column_stack([points[:, :2] * scale[:, None], points[:, 2]])

    def undistort(self, directions: np.ndarray) -> np.ndarray:
        """Directions [..., 3] (z = 1) at which a pinhole sees the pixels → those of this lens, z = 1.

        NaN where the lens sees nothing, or sees it 90° off the axis or more.
        """
        radius = np.linalg.norm(directions[..., :2], axis=-1)
        high = np.full(radius.shape, self._last_angle())
        seen = radius < self._radius(high)
        low = np.zeros(radius.shape)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            beyond = self._radius(middle) > radius
            low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
        scale = np.where(radius > 0, np.tan(low) / np.where(radius > 0, radius, 1), 1)
        undistorted = np.concatenate([directions[..., :2] * scale[..., None], np.ones((*radius.shape, 1))], axis=-1)
        return np.where(seen[..., None], undistorted, np.nan)

    def _radius(self, angle: np.ndarray) -> np.ndarray:
        k1, k2, k3, k4 = self.k
        q = angle * angle
        return angle * (1 + q * (k1 + q * (k2 + q * (k3 + q * k4))))

    def _last_angle(self) -> float:
        """Up to here, 90° at most, the radius grows with the angle."""
        angles = np.linspace(0, np.pi / 2, 1025)
        shrinks = np.flatnonzero(np.diff(self._radius(angles)) <= 0)
        return float(angles[shrinks[0]] if shrinks.size else angles[-1])


def lens_of(model: str, coefficients: Sequence[float]) -> EquidistantLens | None:
    """From a calibration's `distortion_model` and `distortion`; None for a pinhole."""
    if model in ("equidistant", "fisheye"):
        if len(coefficients) not in (0, 4) or not np.isfinite(coefficients).all():
            raise ValueError(f"distortion model {model}: expected 4 finite coefficients, found {list(coefficients)}")
        return EquidistantLens(tuple(coefficients) or (0.0, 0.0, 0.0, 0.0))
    if model in ("", "none", "plumb_bob", "rational_polynomial") and not any(coefficients):
        return None
    raise ValueError(
        f"distortion model {model!r} with coefficients {list(coefficients)}: training reads images without distortion "
        "and equidistant ones; rectify the others"
    )
