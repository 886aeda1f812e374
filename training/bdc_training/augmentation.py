"""Random changes of a training sample that keep images, geometry and targets consistent."""

from dataclasses import dataclass, replace

import numpy as np

from .dataset import Sample
from .detection_targets import VY, YAW, Y


@dataclass(frozen=True)
class AugmentationConfig:
    flip_probability: float = 0.5
    # Each camera's brightness is scaled by up to ± this share …
    brightness: float = 0.15
    # … its contrast likewise …
    contrast: float = 0.15
    # … and each colour channel of all cameras together by up to ± this share (white balance).
    color: float = 0.05


def augment(sample: Sample, config: AugmentationConfig, rng: np.random.Generator) -> tuple[Sample, np.ndarray]:
    """The sample, flipped or not, and its photometric jitter [N, 3, 2]: value = pixel · gain + offset (0…255 scale)."""
    if rng.random() < config.flip_probability:
        sample = flip(sample)
    cameras = len(sample.images)
    brightness = 1 + rng.uniform(-config.brightness, config.brightness, (cameras, 1))
    contrast = 1 + rng.uniform(-config.contrast, config.contrast, (cameras, 1))
    color = 1 + rng.uniform(-config.color, config.color, (1, 3))
    # Contrast stretches about mid-grey, as a camera's gain curve would.
    gain, offset = brightness * contrast * color, 127.5 * (1 - contrast) * brightness * color
    return sample, np.stack([gain, offset], axis=-1).astype(np.float32)


def flip(sample: Sample) -> Sample:
    """The world mirrored left to right (ego y → −y): each camera's image is mirrored, and its rays with it.

    A feature cell's ray goes through pixel linspace(0, W − 1, w)[j], symmetric about the image's middle, so the
    mirrored image's ray j is the mirrored ray w − 1 − j, exactly.
    """
    mirror = np.array([1, -1, 1], dtype=np.float32)
    boxes = sample.boxes.copy()
    boxes[:, [Y, YAW, VY]] *= -1
    return replace(
        sample,
        images=np.ascontiguousarray(sample.images[..., ::-1]),
        rays=np.ascontiguousarray(sample.rays[:, :, ::-1]) * mirror,
        origins=sample.origins * mirror,
        labels=np.ascontiguousarray(sample.labels[:, ::-1]),
        depth=np.ascontiguousarray(sample.depth[..., ::-1]),
        boxes=boxes,
    )
