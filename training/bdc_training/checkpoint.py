"""What a run needs to go on exactly where it stopped."""

import io
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .file_replacement import replace_file

# The reader that runs no code from the file; PyTorch 1's knows no plain numbers.
WEIGHTS_ONLY = int(torch.__version__.split(".")[0]) >= 2


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
    # Of bdc_training.optimizer's, in their order.
    optimizer: list[dict[str, Any]]
    # torch's default generator.
    rng: torch.Tensor
    # [K], measured once at the start of the run.
    class_weights: torch.Tensor
    # RunningIou.sums, of a run that has some.
    running_iou: torch.Tensor | None = None


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """@raises OSError if it can't be written; an earlier checkpoint is intact then."""
    content = io.BytesIO()
    torch.save({name: getattr(checkpoint, name) for name in Checkpoint.__dataclass_fields__}, content)
    replace_file(path, content.getvalue())


def load_checkpoint(path: Path) -> Checkpoint:
    """Tensors on the CPU. @raises FileNotFoundError, or ValueError if the file isn't a checkpoint of this version."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such checkpoint; bdc_training.train makes one")
    try:
        state = torch.load(path, map_location="cpu", weights_only=WEIGHTS_ONLY)
    except Exception as error:
        # Unpickling what isn't a pickle raises nearly anything.
        raise ValueError(f"{path}: not a checkpoint, or a damaged one ({error})") from error
    fields = Checkpoint.__dataclass_fields__
    needed = {name for name, field in fields.items() if field.default is MISSING}
    if not isinstance(state, dict) or not needed <= set(state) <= set(fields):
        found = sorted(state) if isinstance(state, dict) else type(state).__name__
        raise ValueError(f"{path}: expected a checkpoint with {sorted(needed)}; found {found}: of another version?")
    return Checkpoint(**state)


def load_weights(network: nn.Module, path: Path) -> Checkpoint:
    """Gives `network` a checkpoint's weights to evaluate.

    @raises as `load_checkpoint`, ValueError for weights of another network.
    """
    checkpoint = load_checkpoint(path)
    try:
        network.load_state_dict(checkpoint.network)
    except RuntimeError as error:
        raise ValueError(
            f"{path}: of another network than the config's; take the run's config.yaml ({shortened(error)})"
        ) from error
    return checkpoint


def shortened(error: Exception, length: int = 300) -> str:
    """In one line. PyTorch tells every weight that doesn't fit; the first few are enough."""
    text = " ".join(str(error).split())
    return text if len(text) <= length else f"{text[:length]} …"


def start_from(network: nn.Module, run: Path) -> None:
    """Gives `network` the weights of a training run's checkpoint.

    What the run doesn't have, such as the thresholds that a full-precision twin lacks, stays as it is.

    @raises FileNotFoundError, or ValueError if the run has a weight that `network` has not, or not in that shape.
    """
    state = load_checkpoint(run / "checkpoint.pt").network
    own = network.state_dict()
    strange = [name for name, value in state.items() if name not in own or own[name].shape != value.shape]
    if strange:
        raise ValueError(
            f"{run}: a run to start from needs the layers of this network; {len(strange)} of its weights aren't there "
            f"or have another shape: {', '.join(strange[:3])}"
        )
    network.load_state_dict(state, strict=False)
