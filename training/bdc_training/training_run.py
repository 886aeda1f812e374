"""One training run: its data, its loop, its checkpoints and its logs."""

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .batches import Batch, training_batches
from .checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from .config import load_config
from .csv_log import CsvLog
from .evaluate import evaluate
from .losses import total_loss
from .network import build_network
from .occupancy_labels import class_frequencies, class_weights
from .optimizer import build_optimizer
from .schedule import CosineSchedule, StepBudget, TimeBudget
from .training_config import training_config
from .training_data import batch_maker
from .weight_average import WeightAverage

TRAIN_COLUMNS = ("step", "seconds", "learning_rate", "loss", "occupancy", "depth", "heatmap", "box", "gradient_norm")
VAL_COLUMNS = ("step", "samples", "mean_iou", "prior_mean_iou", "occupied_iou", "depth_error")


@dataclass(frozen=True)
class TrainingRunOptions:
    config: Path
    data: Path
    val: Path
    out: Path
    cache: Path | None = None
    resume: bool = False
    threads: int | None = None
    # Length of the whole run, interruptions included; without both, the config's steps.
    steps: int | None = None
    minutes: float | None = None


class TrainingRun:
    def __init__(self, options: TrainingRunOptions):
        torch.set_num_threads(options.threads or os.cpu_count() or 1)
        config = load_config(options.config)
        self._config = training_config(config.training)
        self._out = options.out
        self._out.mkdir(parents=True, exist_ok=True)
        self._maker = batch_maker(config, options.data, options.cache and options.cache / "train")
        self._val_maker = batch_maker(config, options.val, options.cache and options.cache / "val")
        torch.manual_seed(self._config.seed)
        # Half the time of a step goes into convolutions, which oneDNN runs faster with channels last.
        self._network = build_network(config).to(memory_format=torch.channels_last)
        decay = self._config.ema_decay
        self._average = WeightAverage(self._network, decay) if decay > 0 else None
        self._optimizer = build_optimizer(self._network, self._config.learning_rate, self._config.weight_decay)
        self._schedule = CosineSchedule(self._config.learning_rate, self._config.warmup_steps, self._config.final_share)
        self._step = 0
        used = 0.0
        if options.resume:
            used = self._restore(load_checkpoint(self._out / "checkpoint.pt"))
        else:
            self._class_weights = self._measure_class_weights()
        self._clock = TimeBudget(math.inf if options.minutes is None else options.minutes * 60, used)
        self._budget = self._clock if options.minutes is not None else StepBudget(options.steps or self._config.steps)
        self._train_log = CsvLog(self._out / "train.csv", TRAIN_COLUMNS, self._step)
        self._val_log = CsvLog(self._out / "val.csv", VAL_COLUMNS, self._step)
        self._stop_requested = False

    @property
    def _evaluated(self) -> nn.Module:
        return self._network if self._average is None else self._average.network

    def request_stop(self) -> None:
        """Ends the run after the step in progress; safe in a signal handler."""
        self._stop_requested = True

    def run(self) -> bool:
        """Trains to the end of the budget. False if stopped before; a checkpoint is written either way."""
        recent: list[tuple[float, ...]] = []
        batches = training_batches(
            self._maker, self._step, self._config.batch_size, self._config.seed, self._config.augmentation
        )
        self._network.train()
        try:
            while not self._stop_requested and (remaining := self._budget.remaining(self._step)) >= 1:
                rate = self._schedule.rate(self._step)
                recent.append(self._train_step(next(batches), rate))
                self._schedule.advance(remaining)
                self._step += 1
                if self._step % self._config.log_every == 0:
                    self._log(rate, np.mean(recent, axis=0), remaining)
                    recent.clear()
                if self._step % self._config.checkpoint_every == 0:
                    self._save()
                if self._step % self._config.validate_every == 0:
                    self._validate()
        finally:
            batches.close()
        self._save()
        return not self._stop_requested

    def _train_step(self, batch: Batch, rate: float) -> tuple[float, ...]:
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        outputs = self._network(batch.images, batch.rays, batch.origins, batch.camera_mask)
        loss, parts = total_loss(outputs, batch, self._class_weights, self._config.losses)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss of step {self._step} is {loss.item()}; its parts: {parts}")
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._config.gradient_clip)
        self._optimizer.step()
        if self._average is not None:
            self._average.update(self._network, self._step)
        return loss.item(), parts["occupancy"], parts["depth"], parts["heatmap"], parts["box"], norm.item()

    def _log(self, rate: float, means: np.ndarray, remaining: float) -> None:
        seconds = self._clock.used()
        self._train_log.add(self._step, seconds, rate, *means.tolist())
        names = ("loss", "occupancy", "depth", "heatmap", "box")
        parts = "  ".join(f"{name} {value:.3f}" for name, value in zip(names, means, strict=False))
        line = f"step {self._step}  {seconds / 60:.1f} min  {remaining - 1:.0f} steps left  lr {rate:.1e}  {parts}"
        # One line that stays in place on a terminal; a line each in a log file.
        print(line, end="\r" if sys.stdout.isatty() else "\n", flush=True)

    def _validate(self) -> None:
        count = min(self._config.validate_samples, len(self._val_maker.dataset))
        result = evaluate(self._evaluated, self._val_maker, range(count))
        self._network.train()
        figures = (result.network.mean_iou, result.prior.mean_iou, result.network.occupied_iou, result.depth_error)
        self._val_log.add(self._step, count, *figures)
        print(
            f"step {self._step}  validation on {count} samples: mIoU {100 * figures[0]:.2f} % (constant prior "
            f"{100 * figures[1]:.2f} %), occupied IoU {100 * figures[2]:.1f} %, depth error {figures[3]:.2f} m",
            flush=True,
        )

    def _measure_class_weights(self) -> Tensor:
        dataset = self._maker.dataset
        count = min(self._config.class_weight_samples, len(dataset))
        frequencies = class_frequencies(dataset.labels(index) for index in range(count))
        weights = class_weights(frequencies, self._config.class_weight_exponent, self._config.class_weight_limit)
        return torch.from_numpy(weights)

    def _save(self) -> None:
        save_checkpoint(
            self._out / "checkpoint.pt",
            Checkpoint(
                step=self._step,
                progress=self._schedule.progress,
                seconds=self._clock.used(),
                network=self._evaluated.state_dict(),
                trained_network=self._network.state_dict(),
                optimizer=self._optimizer.state_dict(),
                rng=torch.get_rng_state(),
                class_weights=self._class_weights,
            ),
        )

    def _restore(self, checkpoint: Checkpoint) -> float:
        """The seconds used before."""
        self._network.load_state_dict(checkpoint.trained_network)
        self._evaluated.load_state_dict(checkpoint.network)
        self._optimizer.load_state_dict(checkpoint.optimizer)
        torch.set_rng_state(checkpoint.rng)
        self._schedule.progress = checkpoint.progress
        self._step = checkpoint.step
        self._class_weights = checkpoint.class_weights
        return checkpoint.seconds
