"""One training run: its data, its loop, its checkpoints and its logs."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
import yaml
from torch import Tensor, nn

from .batches import Batch, training_batches
from .checkpoint import Checkpoint, load_checkpoint, save_checkpoint, shortened, start_from
from .classes import OCCUPANCY_CLASSES
from .config import changed_keys, config_mapping, load_config
from .device_interface import DeviceInterface
from .distillation import Outputs, Teacher, distillation_losses
from .distributed import default_threads, join
from .evaluate import evaluate
from .file_replacement import replace_file
from .gradients import clip_gradients, module_of, total_norm
from .losses import total_loss
from .mixed_precision import autocast
from .network import build_network
from .occupancy_labels import class_frequencies, class_weights
from .optimizer import build_optimizers
from .run_log import RunLog
from .schedule import CosineSchedule, StepBudget, TimeBudget
from .soft_iou import RunningIou
from .training_config import training_config
from .training_data import batch_maker, scene_list
from .weight_average import WeightAverage


class DivergedError(RuntimeError):
    """A loss, a gradient or a weight that isn't finite."""


@dataclass(frozen=True)
class TrainingRunOptions:
    config: Path
    data: Path
    val: Path
    out: Path
    cache: Path | None = None
    # Text files with the scenes to use of each data set, one a line; all without.
    scenes: Path | None = None
    val_scenes: Path | None = None
    resume: bool = False
    threads: int | None = None
    # Length of the whole run, interruptions included; without both, the config's steps.
    steps: int | None = None
    minutes: float | None = None
    # `key.path=value`, over what the config file says.
    overrides: tuple[str, ...] = ()
    # cpu, cuda or auto.
    device: str = "auto"
    tensorboard: bool = False


class TrainingRun:
    """One of the processes that train a network: each takes a share of every batch, the first one logs."""

    def __init__(self, options: TrainingRunOptions):
        torch.set_num_threads(options.threads or default_threads())
        config = load_config(options.config, options.overrides)
        self._config = training_config(config.training)
        self._process = join(options.device)
        self._share = self._process.share_of(self._config.batch_size)
        self._out = options.out
        self._out.mkdir(parents=True, exist_ok=True)
        _check_checkpoint(self._out / "checkpoint.pt", options.resume)
        scenes, val_scenes = scene_list(options.scenes), scene_list(options.val_scenes)
        self._maker = batch_maker(config, options.data, options.cache and options.cache / "train", scenes)
        self._val_maker = batch_maker(config, options.val, options.cache and options.cache / "val", val_scenes)
        torch.manual_seed(self._config.seed)
        # Half the time of a step goes into convolutions, which oneDNN runs faster with channels last.
        self._network = build_network(config).to(self._process.device, memory_format=torch.channels_last)
        if self._config.initial and not options.resume:
            start_from(self._network, Path(self._config.initial))
        distillation = self._config.distillation
        self._teacher = Teacher(distillation, self._process.device) if distillation.teacher else None
        decay = self._config.ema_decay
        self._average = WeightAverage(self._network, decay) if decay > 0 else None
        self._network = self._process.with_shared_statistics(self._network)
        self._shared_network = self._process.with_shared_gradients(self._network)
        self._optimizers = build_optimizers(
            self._network, self._config.optimizer, self._config.learning_rate, self._config.weight_decay
        )
        self._schedule = CosineSchedule(self._config.learning_rate, self._config.warmup_steps, self._config.final_share)
        memory = self._config.iou_memory
        self._iou = RunningIou(len(OCCUPANCY_CLASSES), memory, self._process.device) if memory > 0 else None
        self._step = 0
        used = 0.0
        if options.resume:
            used = self._restore(load_checkpoint(self._out / "checkpoint.pt"))
        else:
            self._class_weights = self._measure_class_weights()
        self._class_weights = self._class_weights.to(self._process.device)
        self._clock = TimeBudget(math.inf if options.minutes is None else options.minutes * 60, used)
        self._budget = self._clock if options.minutes is not None else StepBudget(options.steps or self._config.steps)
        self._log = self._open_log(options) if self._process.is_first else None
        self._stop_requested = False

    @property
    def _evaluated(self) -> nn.Module:
        return self._network if self._average is None else self._average.network

    def request_stop(self) -> None:
        """Ends the run after the step in progress; safe in a signal handler."""
        self._stop_requested = True

    def run(self) -> bool:
        """Trains to the end of the budget. False if stopped before; a checkpoint is written either way.

        @raises DivergedError if the loss or its gradient isn't finite; the state before that step is saved first.
        """
        recent: list[list[float]] = []
        batches = training_batches(
            self._maker, self._step, self._config.batch_size, self._config.seed, self._config.augmentation, self._share
        )
        self._network.train()
        try:
            while (remaining := self._remaining()) >= 1:
                rate = self._schedule.rate(self._step)
                figures, norms = self._train_step(next(batches), rate)
                recent.append(figures)
                self._schedule.advance(remaining)
                self._step += 1
                if self._step % self._config.log_every == 0:
                    if self._log is not None:
                        means = np.mean(recent, axis=0).tolist()
                        self._log.train(self._step, remaining - 1, self._clock.used(), rate, means)
                        self._log.gradients(self._step, norms)
                    recent.clear()
                if self._step % self._config.checkpoint_every == 0:
                    self._save()
                if self._step % self._config.validate_every == 0:
                    self._validate()
            self._save()
        except DivergedError as error:
            raise DivergedError(f"{error}.\n{self._save_after_divergence()}") from error
        finally:
            batches.close()
            if self._log is not None:
                self._log.close()
        return not self._stop_requested

    def _remaining(self) -> float:
        """Steps still to go, 0 on a requested stop; the same in all processes."""
        self._stop_requested = self._process.any_says(self._stop_requested)
        return 0 if self._stop_requested else self._process.first_says(self._budget.remaining(self._step))

    def _train_step(self, batch: Batch, rate: float) -> tuple[list[float], dict[str, float]]:
        """(loss, its parts and the gradient's norm; the gradient's norm by module), of all processes together."""
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        with self._kept_statistics():
            loss, parts = self._loss(batch.to(self._process.device))
            for optimizer in self._optimizers:
                optimizer.zero_grad(set_to_none=True)
            loss.backward()
            norms = clip_gradients(self._network, self._config.gradient_clip)
            figures = self._process.mean([loss.item(), *parts.values(), total_norm(norms)])
            if not np.isfinite(figures).all():
                self._stop_diverged(dict(zip(("loss", *parts), figures, strict=False)), norms)
        for optimizer in self._optimizers:
            optimizer.step()
        if self._average is not None:
            self._average.update(self._network, self._step)
        return figures, norms

    def _loss(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        outputs = self._outputs(self._shared_network, batch)
        if self._teacher is None:
            return total_loss(outputs, batch, self._class_weights, self._config.losses, self._iou)
        with torch.no_grad():
            teachers = self._outputs(self._teacher.network, batch)
        taught = distillation_losses(outputs, teachers, batch, self._class_weights)
        share = self._config.distillation.share
        return total_loss(outputs, batch, self._class_weights, self._config.losses, self._iou, taught, share)

    def _outputs(self, network: nn.Module, batch: Batch) -> Outputs:
        with autocast(self._config.mixed_precision, self._process.device):
            return {name: tensor.float() for name, tensor in network(*batch.inputs).items()}

    @contextlib.contextmanager
    def _kept_statistics(self) -> Iterator[None]:
        """Puts the batch norms' statistics and the running IoU back if the step fails: a forward pass changes them
        before it is judged."""
        before = [buffer.clone() for buffer in self._network.buffers()]
        sums = None if self._iou is None else self._iou.sums
        try:
            yield
        except DivergedError:
            for buffer, value in zip(self._network.buffers(), before, strict=True):
                buffer.copy_(value)
            if self._iou is not None and sums is not None:
                self._iou.sums = sums
            raise

    def _stop_diverged(self, parts: dict[str, float], norms: dict[str, float]) -> NoReturn:
        values = ", ".join(f"{name} {value:.4g}" for name, value in parts.items())
        bad = ", ".join(name for name, norm in norms.items() if not math.isfinite(norm)) or "none"
        tokens = self._maker.tokens(self._step, self._config.batch_size, self._config.seed)
        raise DivergedError(
            f"step {self._step}: the loss or its gradient is not finite: {values}; modules whose gradient is not "
            f"finite: {bad}; samples {', '.join(tokens)}"
        )

    def _save_after_divergence(self) -> str:
        """Saves the state before the failed step, unless that isn't finite either; what to do next."""
        path = self._out / "checkpoint.pt"
        try:
            self._save()
        except DivergedError as error:
            if not path.exists():
                return f"{error}, and there is no checkpoint: start anew with a lower training.learning_rate"
            return f"{error}; {path} keeps step {load_checkpoint(path).step}: go on from there with --resume"
        return (
            f"{path} holds the state before that step: look at these samples, or go on with --resume "
            "--set training.learning_rate=… and a lower one"
        )

    def _validate(self) -> None:
        if self._log is None:
            return
        count = min(self._config.validate_samples, len(self._val_maker.dataset))
        network = DeviceInterface(self._evaluated, self._process.device)
        with autocast(self._config.mixed_precision, self._process.device):
            scores = evaluate(network, self._val_maker, range(count))
        self._log.validation(self._step, scores)
        self._network.train()

    def _open_log(self, options: TrainingRunOptions) -> RunLog:
        mapping, kept = config_mapping(options.config, options.overrides), self._out / "config.yaml"
        if options.resume and kept.exists():
            changed = changed_keys(config_mapping(kept), mapping)
            if changed:
                print(f"resumed with other values than before of {', '.join(changed)}")
        replace_file(kept, yaml.safe_dump(mapping, sort_keys=False).encode())
        shared = len(self._maker.dataset.tokens() & self._val_maker.dataset.tokens())
        if shared > 0:
            print(f"{shared} samples are learned from and measured on: validation says nothing about other scenes")
        modules = dict.fromkeys(module_of(name) for name, _ in self._network.named_parameters())
        return RunLog(self._out, self._step, list(modules) if self._config.log_gradients else [], options.tensorboard)

    def _measure_class_weights(self) -> Tensor:
        dataset = self._maker.dataset
        if not dataset.spec.has_labels:
            return torch.ones(len(OCCUPANCY_CLASSES))
        count = min(self._config.class_weight_samples, len(dataset))
        frequencies = class_frequencies(dataset.labels(index) for index in range(count))
        weights = class_weights(frequencies, self._config.class_weight_exponent, self._config.class_weight_limit)
        return torch.from_numpy(weights)

    def _save(self) -> None:
        state = self._network.state_dict()
        bad = [name for name, value in state.items() if not torch.isfinite(value).all()]
        if bad:
            raise DivergedError(f"the weights after {self._step} steps are not finite: {', '.join(bad[:5])}")
        if not self._process.is_first:
            return
        save_checkpoint(
            self._out / "checkpoint.pt",
            Checkpoint(
                step=self._step,
                progress=self._schedule.progress,
                seconds=self._clock.used(),
                network=self._evaluated.state_dict(),
                trained_network=state,
                optimizer=[optimizer.state_dict() for optimizer in self._optimizers],
                rng=torch.get_rng_state(),
                class_weights=self._class_weights.cpu(),
                running_iou=None if self._iou is None else self._iou.sums.cpu(),
            ),
        )

    def _restore(self, checkpoint: Checkpoint) -> float:
        """The seconds used before."""
        try:
            self._network.load_state_dict(checkpoint.trained_network)
            self._evaluated.load_state_dict(checkpoint.network)
        except RuntimeError as error:
            raise ValueError(f"the checkpoint is of another network than the config's: {shortened(error)}") from error
        if not isinstance(checkpoint.optimizer, list) or len(checkpoint.optimizer) != len(self._optimizers):
            raise ValueError("the checkpoint's optimizer is another than the config's training.optimizer")
        for optimizer, state in zip(self._optimizers, checkpoint.optimizer, strict=True):
            optimizer.load_state_dict(state)
        torch.set_rng_state(checkpoint.rng)
        self._schedule.progress = checkpoint.progress
        self._step = checkpoint.step
        self._class_weights = checkpoint.class_weights
        if self._iou is not None and checkpoint.running_iou is not None:
            self._iou.sums = checkpoint.running_iou.to(self._process.device)
        return checkpoint.seconds


def _check_checkpoint(path: Path, resume: bool) -> None:
    """@raises FileNotFoundError, or FileExistsError: a run that is begun anew would lose the earlier one."""
    if resume and not path.exists():
        raise FileNotFoundError(f"{path}: no checkpoint to resume from; start the run without --resume")
    if not resume and path.exists():
        raise FileExistsError(
            f"{path}: there from an earlier run; go on with --resume, remove it, or choose another --out"
        )
