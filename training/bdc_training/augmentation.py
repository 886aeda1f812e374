"""Random changes of a training sample that keep images, geometry and targets consistent."""

from dataclasses import dataclass, replace

import numpy as np

from .dataset import Sample
from .detection_targets import VX, YAW, X


@dataclass(frozen=True)
class AugmentationConfig:
    # Of mirroring the world front to back (ego x → −x) …
    flip_x: float = 0.5
    # … and left to right (y → −y), each on its own.
    flip_y: float = 0.5
    # Each camera's brightness is scaled by up to ± this share …
    brightness: float = 0.15
    # … its contrast likewise …
    contrast: float = 0.15
    # … and each colour channel of all cameras together by up to ± this share (white balance).
    color: float = 0.05

    def __post_init__(self) -> None:
        for name in ("flip_x", "flip_y"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected a probability; found {getattr(self, name):g}")


def augment(sample: Sample, config: AugmentationConfig, rng: np.random.Generator) -> tuple[Sample, np.ndarray]:
    """The sample, flipped or not, and its photometric jitter [N, 3, 2]: value = pixel · gain + offset (0…255 scale)."""
    for axis, probability in enumerate((config.flip_x, config.flip_y)):
        if rng.random() < probability:
            sample = flip(sample, axis)
    cameras = len(sample.images)
    brightness = 1 + rng.uniform(-config.brightness, config.brightness, (cameras, 1))
    contrast = 1 + rng.uniform(-config.contrast, config.contrast, (cameras, 1))
    color = 1 + rng.uniform(-config.color, config.color, (1, 3))
    # Contrast stretches about mid-grey, as a camera's gain curve would.
    gain, offset = brightness * contrast * color, 127.5 * (1 - contrast) * brightness * color
    return sample, np.stack([gain, offset], axis=-1).astype(np.float32)


def flip(sample: Sample, axis: int) -> Sample:
    """The world mirrored along ego x (axis 0) or y (axis 1): each camera's image is mirrored, and its rays with it.

    A feature cell's ray goes through pixel linspace(0, W − 1, w)[j], symmetric about the image's middle, so the
    mirrored image's ray j is the mirrored ray w − 1 − j, exactly. Occ3D's range is symmetric about 0 in both axes, so
    are the voxels.
    """
    mirror = np.ones(3, dtype=np.float32)
    mirror[axis] = -1
    boxes = sample.boxes.copy()
    boxes[:, [X + axis, VX + axis]] *= -1
    # A heading (cos, sin) becomes (−cos, sin) along x, (cos, −sin) along y.
    boxes[:, YAW] = np.pi - boxes[:, YAW] if axis == 0 else -boxes[:, YAW]
    return replace(
        sample,
        images=np.ascontiguousarray(sample.images[..., ::-1]),
        rays=np.ascontiguousarray(sample.rays[:, :, ::-1]) * mirror,
        origins=sample.origins * mirror,
        labels=np.ascontiguousarray(np.flip(sample.labels, axis)),
        depth=np.ascontiguousarray(sample.depth[..., ::-1]),
        boxes=boxes,
    )
