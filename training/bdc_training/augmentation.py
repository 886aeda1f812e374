"""Random changes of a training sample that keep images, geometry and targets consistent."""

from dataclasses import dataclass

import numpy as np

from .dataset import OccupancyDataset, Sample
from .image_warp import random_pixel_maps
from .world_transforms import flip, turn_and_scale


@dataclass(frozen=True)
class AugmentationConfig:
    # Of mirroring the world front to back (ego x → −x) …
    flip_x: float = 0.5
    # … and left to right (y → −y), each on its own.
    flip_y: float = 0.5
    # The world is turned by up to ± this many degrees and scaled by up to ± this share; BEVDet has 22.5 and 0.05. Off
    # because it moves voxels by up to half their size.
    rotation: float = 0.0
    scale: float = 0.0
    # Each camera's image is enlarged by up to this share and cut out anywhere, and turned by up to ± so many degrees.
    image_zoom: float = 0.0
    image_rotation: float = 0.0
    # Each camera's brightness is scaled by up to ± this share …
    brightness: float = 0.15
    # … its contrast likewise …
    contrast: float = 0.15
    # … and each colour channel of all cameras together by up to ± this share (white balance).
    color: float = 0.05

    def __post_init__(self) -> None:
        limits = {"rotation": 180.0, "scale": 0.5, "image_rotation": 180.0}
        for name, value in vars(self).items():
            limit = limits.get(name, 1.0)
            if not 0 <= value <= limit:
                raise ValueError(f"{name}: expected 0 to {limit:g}; found {value:g}")


def augmented(
    dataset: OccupancyDataset, index: int, config: AugmentationConfig, rng: np.random.Generator
) -> tuple[Sample, np.ndarray]:
    """A changed sample and its photometric jitter [N, 3, 2]: value = pixel · gain + offset (0…255 scale)."""
    spec = dataset.spec
    cameras = len(spec.camera_names)
    sample = dataset[index]
    if config.image_zoom > 0 or config.image_rotation > 0:
        size = spec.width, spec.height
        maps = random_pixel_maps(cameras, size, config.image_zoom, config.image_rotation, rng)
        sample = dataset.with_warped_images(index, sample, maps)
    for axis, probability in enumerate((config.flip_x, config.flip_y)):
        if rng.random() < probability:
            sample = flip(sample, axis)
    if config.rotation > 0 or config.scale > 0:
        angle = np.radians(rng.uniform(-config.rotation, config.rotation))
        sample = turn_and_scale(sample, angle, 1 + rng.uniform(-config.scale, config.scale), spec)
    brightness = 1 + rng.uniform(-config.brightness, config.brightness, (cameras, 1))
    contrast = 1 + rng.uniform(-config.contrast, config.contrast, (cameras, 1))
    color = 1 + rng.uniform(-config.color, config.color, (1, 3))
    # Contrast stretches about mid-grey, as a camera's gain curve would.
    gain, offset = brightness * contrast * color, 127.5 * (1 - contrast) * brightness * color
    return sample, np.stack([gain, offset], axis=-1).astype(np.float32)
