"""A config's data, ready to make batches of."""

from pathlib import Path

from .batches import BatchMaker
from .classes import DETECTION_CLASSES
from .config import Config
from .dataset import OccupancyDataset
from .sample_spec import SampleSpec


def sample_spec(config: Config) -> SampleSpec:
    return SampleSpec(
        width=config.input.width,
        height=config.input.height,
        stride=config.image_encoder.stride,
        camera_names=config.input.camera_names,
        grid_min=config.grid.min,
        grid_max=config.grid.max,
        grid_shape=config.grid.shape,
        depths=tuple(config.view_transformer.depths),
        detection_classes=tuple(c.name for c in DETECTION_CLASSES),
        has_labels=config.heads.occupancy != "none",
    )


def batch_maker(config: Config, root: Path, cache: Path | None = None, scenes: list[str] | None = None) -> BatchMaker:
    """Of all the data set's scenes, or of those named."""
    dataset = OccupancyDataset(root, sample_spec(config), cache, scenes)
    # The detection head works at the grid's resolution: rows are y, columns x.
    detection_shape = config.grid.shape[1], config.grid.shape[0]
    return BatchMaker(dataset, config.input.mean, config.input.std, detection_shape, config.frames_before)


def scene_list(path: Path | None) -> list[str] | None:
    """Scene names of a text file, one a line; None for no file."""
    if path is None:
        return None
    names = path.read_text().split()
    if not names:
        raise ValueError(f"{path}: expected scene names, one a line; found none")
    return names
