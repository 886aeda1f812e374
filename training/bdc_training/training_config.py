"""The `training` section of a config file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from .augmentation import AugmentationConfig
from .losses import LossWeights

T = TypeVar("T")


@dataclass(frozen=True)
class TrainingConfig:
    seed: int = 0
    batch_size: int = 2
    # Length of a run without --steps or --minutes.
    steps: int = 2500
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    # Learning rate at the end, as a share of `learning_rate`.
    final_share: float = 0.01
    # Of real-valued weight matrices; binary weights, norms, thresholds and slopes have none.
    weight_decay: float = 1e-2
    gradient_clip: float = 5.0
    # Class weights are (f_free / f_class)^exponent, at most the limit; frequencies from this many samples.
    class_weight_exponent: float = 0.25
    class_weight_limit: float = 15.0
    class_weight_samples: int = 200
    checkpoint_every: int = 200
    log_every: int = 20
    # Validation during the run: every so many steps, on the first so many samples.
    validate_every: int = 500
    validate_samples: int = 40
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    losses: LossWeights = field(default_factory=LossWeights)


def training_config(section: Mapping[str, Any]) -> TrainingConfig:
    """From parsed YAML. @raises ValueError for a key that doesn't exist or a value of another kind."""
    return _from_mapping(TrainingConfig, section, "training")


def _from_mapping(kind: type[T], section: Mapping[str, Any], where: str) -> T:
    if not isinstance(section, Mapping):
        raise ValueError(f"{where}: expected a mapping, found {section!r}")
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in section.items():
        if name not in known:
            raise ValueError(f"{where}.{name}: no such key; there are {', '.join(sorted(known))}")
        expected = known[name].type
        if is_dataclass(expected):
            values[name] = _from_mapping(expected, value, f"{where}.{name}")
        elif type(value) is expected or (expected is float and type(value) is int):
            values[name] = expected(value)
        else:
            raise ValueError(f"{where}.{name}: expected a number ({expected.__name__}), found {value!r}")
    return kind(**values)
