"""A network's configuration, read from YAML (training/configs).

Every key is checked; a wrong one is answered with the nearest right one.
"""

import difflib
import types
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import yaml

T = TypeVar("T")


@dataclass(frozen=True)
class InputConfig:
    """The network's images: pixels, and mean and standard deviation per RGB channel on the 0…255 scale."""

    width: int
    height: int
    camera_names: tuple[str, ...]
    mean: tuple[float, ...] = (123.675, 116.28, 103.53)
    std: tuple[float, ...] = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class GridConfig:
    """Voxels in the base frame: metres, and their number along x, y, z."""

    min: tuple[float, ...]
    max: tuple[float, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class UnitConfig:
    """The BDC unit everywhere in the network (bdc_training.units)."""

    version: str = "V3"
    # What the 1×1 and refinement layers see: signs (W1A1) or real activations (W1A32).
    pointwise_input: Literal["sign", "real"] = "real"
    batch_norm: bool = True
    residual_batch_norm: bool = False
    reduction: int = 1


@dataclass(frozen=True)
class ImageEncoderConfig:
    """Channels of the real stem's first convolution, and of the stages at strides 4, 8 and 16."""

    stem: int
    channels: tuple[int, ...]
    # Units at the last stage behind its down-sampling one.
    depth: int = 2


@dataclass(frozen=True)
class ViewTransformerConfig:
    """Depth bins `first + i·step` (m, along the optical axis) and context channels."""

    first_depth: float
    depth_step: float
    depth_bins: int
    context_channels: int

    @property
    def depths(self) -> list[float]:
        return [self.first_depth + i * self.depth_step for i in range(self.depth_bins)]


@dataclass(frozen=True)
class BevEncoderConfig:
    """Channels at 1/2 and 1/4 of the grid's resolution, and at the output (the grid's full one)."""

    channels: tuple[int, ...]
    out_channels: int


@dataclass(frozen=True)
class DetectionConfig:
    score_threshold: float = 0.1
    nms_threshold: float = 0.2
    max_candidates: int = 500


@dataclass(frozen=True)
class Config:
    name: str
    input: InputConfig
    grid: GridConfig
    image_encoder: ImageEncoderConfig
    view_transformer: ViewTransformerConfig
    bev_encoder: BevEncoderConfig
    unit: UnitConfig = field(default_factory=UnitConfig)
    detection: DetectionConfig = field(default_factory=DetectionConfig)
    # Read by bdc_training.training_config.
    training: Mapping[str, Any] = field(default_factory=dict)


def load_config(path: Path | str) -> Config:
    """@raises ValueError naming the file and the key at fault."""
    try:
        return from_mapping(Config, yaml.safe_load(Path(path).read_text()), "")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def from_mapping(kind: type[T], section: Any, where: str) -> T:
    """A dataclass from parsed YAML. @raises ValueError for an unknown, missing or wrongly typed key."""
    if not isinstance(section, Mapping):
        raise ValueError(f"{where or 'the file'}: expected keys and values, found {section!r}")
    types_by_name = get_type_hints(kind)
    prefix = f"{where}." if where else ""
    for name in section:
        if name not in types_by_name:
            near = difflib.get_close_matches(str(name), types_by_name, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(types_by_name)}"
            raise ValueError(f"{prefix}{name}: no such key; {hint}")
    values = {name: _value(types_by_name[name], value, f"{prefix}{name}") for name, value in section.items()}
    try:
        return kind(**values)
    except TypeError:
        required = {f.name for f in fields(kind) if f.name not in values}  # type: ignore[arg-type]
        raise ValueError(f"{where or 'the file'}: keys missing, among {', '.join(sorted(required))}") from None


def _value(kind: Any, value: Any, where: str) -> Any:
    origin = get_origin(kind)
    if is_dataclass(kind):
        return from_mapping(kind, value, where)
    if origin is tuple:
        if isinstance(value, list):
            return tuple(_value(get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    elif origin is Literal:
        if value in get_args(kind):
            return value
        raise ValueError(f"{where}: expected one of {', '.join(get_args(kind))}; found {value!r}")
    elif origin is not None and issubclass(origin, Mapping):
        if isinstance(value, Mapping):
            return value
    elif isinstance(kind, types.UnionType):
        return _value(next(k for k in get_args(kind) if k is not type(None)), value, where)
    elif kind is float and type(value) in (int, float):
        return float(value)
    elif type(value) is kind:
        return value
    raise ValueError(f"{where}: expected {getattr(kind, '__name__', kind)}; found {value!r}")
