"""What a run needs to go on exactly where it stopped."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True)
class Checkpoint:
    """State after `step` steps. Batches depend on seed and step only, so they need no state of their own."""

    step: int
    # CosineSchedule.progress.
    progress: float
    # Seconds of training so far.
    seconds: float
    # The weights to evaluate, calibrate and export: the moving average where the run keeps one, else the trained ones.
    network: dict[str, Any]
    # The weights that training goes on with.
    trained_network: dict[str, Any]
    optimizer: dict[str, Any]
    # torch's default generator.
    rng: torch.Tensor
    # [K], measured once at the start of the run.
    class_weights: torch.Tensor


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Written beside and renamed: an interruption leaves the earlier checkpoint whole."""
    partial = path.with_suffix(".partial")
    torch.save({name: getattr(checkpoint, name) for name in Checkpoint.__dataclass_fields__}, partial)
    partial.replace(path)


def load_checkpoint(path: Path) -> Checkpoint:
    if not path.exists():
        raise FileNotFoundError(f"{path}: no checkpoint to resume from; start the run without --resume")
    return Checkpoint(**torch.load(path, map_location="cpu"))
