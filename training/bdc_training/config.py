"""A network's configuration, read from YAML (training/configs)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from .config_reading import from_mapping
from .config_sections import (
    BevEncoderConfig,
    BinaryModule,
    DetectionConfig,
    GridConfig,
    HeadsConfig,
    ImageEncoderConfig,
    InputConfig,
    PublishedBevEncoderConfig,
    ResNetEncoderConfig,
    StereoViewTransformerConfig,
    TemporalConfig,
    UnitConfig,
    ViewTransformerConfig,
)


@dataclass(frozen=True)
class Config:
    name: str
    input: InputConfig
    grid: GridConfig
    image_encoder: ImageEncoderConfig | ResNetEncoderConfig
    view_transformer: ViewTransformerConfig | StereoViewTransformerConfig
    bev_encoder: BevEncoderConfig | PublishedBevEncoderConfig
    unit: UnitConfig = field(default_factory=UnitConfig)
    temporal: TemporalConfig = field(default_factory=TemporalConfig)
    # Modules whose units are full-precision twins, whatever `unit.precision` says.
    full_precision: tuple[BinaryModule, ...] = ()
    heads: HeadsConfig = field(default_factory=HeadsConfig)
    detection: DetectionConfig = field(default_factory=DetectionConfig)
    # Read by bdc_training.training_config.
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bev_channels(self) -> int:
        """Of the BEV encoder's input."""
        return self.view_transformer.context_channels * (2 if self.temporal.previous_bev else 1)

    @property
    def frames_before(self) -> int:
        """Frames that a sample needs beside its own."""
        # The frame before has depths of its own, which see the one before that.
        return int(self.temporal.previous_bev) + int(self.view_transformer.kind == "stereo")

    def within(self, module: BinaryModule) -> "Config":
        """As that module is built: with the unit it is made of."""
        if module not in self.full_precision:
            return self
        return replace(self, unit=replace(self.unit, precision="full"))

    def __post_init__(self) -> None:
        if self.view_transformer.kind == "stereo" and self.image_encoder.kind != "resnet50":
            raise ValueError(
                f"view_transformer.kind: stereo compares features of a resnet50; found {self.image_encoder.kind}"
            )
        if self.bev_encoder.kind != "edge" and any(n % 8 for n in self.grid.shape[:2]):
            raise ValueError(
                f"grid.shape: the published BEV encoders need x and y divisible by 8; found {self.grid.shape}"
            )


def load_config(path: Path | str, overrides: Sequence[str] = ()) -> Config:
    """A config file with single values changed: `overrides` are `key.path=value`, values as in YAML.

    @raises ValueError naming the file and the key at fault.
    """
    try:
        return from_mapping(Config, config_mapping(path, overrides), "")
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error


def config_mapping(path: Path | str, overrides: Sequence[str] = ()) -> Any:
    """The file's keys and values, not checked yet, with the overrides in their places."""
    mapping = yaml.safe_load(Path(path).read_text())
    for override in overrides:
        keys, separator, value = override.partition("=")
        if not separator:
            raise ValueError(f"{override}: expected key.path=value, such as training.steps=500")
        *parents, last = keys.split(".")
        section = mapping
        for key in parents:
            section = section.setdefault(key, {}) if isinstance(section, dict) else None
        if not isinstance(section, dict):
            raise ValueError(f"{override}: {'.'.join(parents) or 'the file'} is not a section")
        section[last] = yaml.safe_load(value)
    return mapping


def changed_keys(before: Any, after: Any, where: str = "") -> list[str]:
    """Key paths whose values differ between two configs as read from YAML."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return [] if before == after else [where]
    keys = [*before, *(key for key in after if key not in before)]
    paths = {key: f"{where}.{key}" if where else str(key) for key in keys}
    return [path for key in keys for path in changed_keys(before.get(key), after.get(key), paths[key])]
