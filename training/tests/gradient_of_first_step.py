"""Run by test_distributed in each process: saves the gradient of a run's first batch. Batch norms evaluate."""

import sys
from pathlib import Path

import torch

from bdc_training.distributed import leave
from bdc_training.training_run import TrainingRun, TrainingRunOptions


def save_gradient(config: Path, data: Path, out: Path, *overrides: str) -> None:
    cache = out.parent / "cache"
    overrides = OVERRIDES + overrides
    options = TrainingRunOptions(config, data, data, out, cache, threads=1, device="cpu", overrides=overrides)
    run = TrainingRun(options)
    run._network.eval()
    settings = run._config
    batch = run._maker.training(0, settings.batch_size, settings.seed, settings.augmentation, run._share)
    loss, _ = run._loss(batch)
    loss.backward()
    if run._process.is_first:
        gradient = {name: parameter.grad for name, parameter in run._network.named_parameters()}
        torch.save(gradient, out / "gradient.pt")


# Two samples with different numbers of objects, so that each process's means have other denominators.
OVERRIDES = ("training.batch_size=2", "training.seed=1")

if __name__ == "__main__":
    save_gradient(*(Path(argument) for argument in sys.argv[1:4]), *sys.argv[4:])
    leave()
