"""A run of compare_units: one variant trained with one seed, then measured."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .checkpoint import load_checkpoint, load_weights
from .comparison import RunResult, Variant
from .config import load_config
from .device_interface import DeviceInterface
from .distributed import join
from .evaluate import evaluate
from .network import build_network
from .network_cost import network_cost
from .training_data import batch_maker
from .training_run import TrainingRun, TrainingRunOptions


@dataclass(frozen=True)
class UnitRun:
    variant: Variant
    seed: int
    # The digest of everything that is configured.
    configuration: str
    # In the folder of this run, with the configuration of this run.
    options: TrainingRunOptions
    # Samples to measure on, at most; all without.
    val_samples: int | None
    # Without, it is trained only because another run reads it.
    is_measured: bool

    @property
    def key(self) -> tuple[str, int]:
        return self.variant.name, self.seed

    @property
    def needs(self) -> tuple[str, int] | None:
        """The key of the run that has to end before this one begins."""
        return (self.variant.needs, self.seed) if self.variant.needs else None


def unit_options(base: TrainingRunOptions, variant: Variant, seed: int) -> TrainingRunOptions:
    """`base.out` is the folder of all runs."""
    overrides = (*base.overrides, *variant.overrides(base.out, seed), f"training.seed={seed}")
    return replace(base, out=base.out / variant.name / f"seed-{seed}", overrides=overrides)


class StoppedError(Exception):
    """A run that was asked to stop; it goes on from its checkpoint when it is started again."""


class UnitTrainer:
    """Runs one after another."""

    def __init__(self) -> None:
        self._training: TrainingRun | None = None
        self._stop_requested = False

    def request_stop(self) -> None:
        """Safe in a signal handler."""
        self._stop_requested = True
        if self._training is not None:
            self._training.request_stop()

    def run(self, run: UnitRun) -> RunResult | None:
        """What it reaches; None for one that isn't measured. What is trained already isn't trained again.

        @raises StoppedError
        @raises DivergedError
        """
        self._train(run)
        return _measure(run) if run.is_measured else None

    def _train(self, run: UnitRun) -> None:
        path = run.options.out / "checkpoint.pt"
        has_begun = path.exists()
        if has_begun and load_checkpoint(path).step == run.options.steps:
            return
        print(f"{run.variant.name}, seed {run.seed}", flush=True)
        self._training = TrainingRun(replace(run.options, resume=has_begun))
        if self._stop_requested or not self._training.run():
            raise StoppedError


def _measure(run: UnitRun) -> RunResult:
    options = run.options
    config = load_config(options.config, options.overrides)
    network = build_network(config)
    checkpoint = load_weights(network, options.out / "checkpoint.pt")
    device = join(options.device).device
    maker = batch_maker(config, options.val, options.cache and options.cache / "val")
    count = min(run.val_samples or len(maker.dataset), len(maker.dataset))
    measured = evaluate(DeviceInterface(network.to(device), device), maker, range(count))
    return RunResult(
        variant=run.variant.name,
        seed=run.seed,
        configuration=run.configuration,
        steps=checkpoint.step,
        val_samples=count,
        seconds=checkpoint.seconds,
        mean_iou=measured.network.mean_iou,
        prior_mean_iou=measured.prior.mean_iou,
        occupied_iou=measured.network.occupied_iou,
        depth_error=measured.depth_error,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        cost=network_cost(config),
    )


def next_to_start(waiting: Sequence[UnitRun], unfinished: set[tuple[str, int]]) -> UnitRun | None:
    """The first one that needs no run that hasn't ended; None: all wait for others."""
    return next((run for run in waiting if run.needs is None or run.needs not in unfinished), None)
