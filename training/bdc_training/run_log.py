"""What a run tells: CSV files, the terminal, TensorBoard if asked for."""

import sys
from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

from .csv_log import CsvLog
from .evaluate import Evaluation

LOSSES = ("loss", "occupancy", "iou", "depth", "heatmap", "box")
TRAIN_COLUMNS = ("step", "seconds", "learning_rate", *LOSSES, "gradient_norm")
VAL_COLUMNS = ("step", "samples", "mean_iou", "prior_mean_iou", "occupied_iou", "depth_error")


class RunLog:
    """Writes into the folder `out`, whose files are kept up to `step`, where the run starts or goes on.

    `modules` get a column each in gradients.csv (none: no such file).
    """

    def __init__(self, out: Path, step: int, modules: Sequence[str], tensorboard: bool):
        self._train = CsvLog(out / "train.csv", TRAIN_COLUMNS, step)
        self._val = CsvLog(out / "val.csv", VAL_COLUMNS, step)
        self._gradients = CsvLog(out / "gradients.csv", ("step", *modules), step) if modules else None
        self._tensorboard = _summary_writer(out / "tensorboard", step) if tensorboard else None

    def train(self, step: int, remaining: float, seconds: float, rate: float, means: Sequence[float]) -> None:
        """`means` of the loss, its parts and the gradient's norm since the last time."""
        self._train.add(step, seconds, rate, *means)
        self._scalars("train", TRAIN_COLUMNS[2:], step, (rate, *means))
        parts = "  ".join(f"{name} {value:.3f}" for name, value in zip(TRAIN_COLUMNS[3:-1], means, strict=False))
        line = f"step {step}  {seconds / 60:.1f} min  {remaining:.0f} steps left  lr {rate:.1e}  {parts}"
        # One line that stays in place on a terminal; a line each in a log file.
        print(line, end="\r" if sys.stdout.isatty() else "\n", flush=True)

    def gradients(self, step: int, norms: Mapping[str, float]) -> None:
        """Of the step before, by module."""
        if self._gradients is not None:
            self._gradients.add(step, *norms.values())
            self._scalars("gradient", tuple(norms), step, tuple(norms.values()))

    def validation(self, step: int, result: Evaluation) -> None:
        network, prior = result.network, result.prior
        scores = (nan,) * 3 if network is None else (network.mean_iou, prior.mean_iou, network.occupied_iou)
        figures = (*scores, result.depth_error)
        self._val.add(step, result.samples, *figures)
        self._scalars("validation", VAL_COLUMNS[2:], step, figures)
        occupancy = (
            ""
            if network is None
            else f"mIoU {100 * network.mean_iou:.2f} % (constant prior {100 * prior.mean_iou:.2f} %), "
            f"occupied IoU {100 * network.occupied_iou:.1f} %, "
        )
        print(
            f"step {step}  validation on {result.samples} samples: {occupancy}depth error {result.depth_error:.2f} m",
            flush=True,
        )

    def close(self) -> None:
        if self._tensorboard is not None:
            self._tensorboard.close()

    def _scalars(self, group: str, names: Sequence[str], step: int, values: Sequence[float]) -> None:
        if self._tensorboard is not None:
            for name, value in zip(names, values, strict=True):
                self._tensorboard.add_scalar(f"{group}/{name}", value, step)


def _summary_writer(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError(f"--tensorboard needs the package tensorboard: pip install tensorboard ({error})") from error
    # What an earlier process logged beyond its last checkpoint is hidden.
    return SummaryWriter(str(folder), purge_step=step if step > 0 else None)
