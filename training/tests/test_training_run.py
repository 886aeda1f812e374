"""A whole run on a tiny data set: it learns, and it can be interrupted anywhere."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_config import write_tiny_config
from tiny_dataset import write_tiny_dataset

from bdc_training.checkpoint import load_checkpoint
from bdc_training.evaluate import main as evaluate_main
from bdc_training.training_run import TrainingRun, TrainingRunOptions


@pytest.fixture()
def options(tmp_path: Path) -> TrainingRunOptions:
    write_tiny_dataset(tmp_path / "data", samples=3)
    config = tmp_path / "tiny.yaml"
    write_tiny_config(config)
    return TrainingRunOptions(
        config=config,
        data=tmp_path / "data",
        val=tmp_path / "data",
        out=tmp_path / "out",
        cache=tmp_path / "cache",
        threads=1,
    )


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_goes_on_with_its_optimizer_only(options: TrainingRunOptions) -> None:
    assert TrainingRun(replace(options, steps=1)).run()
    other = replace(options, steps=2, resume=True, overrides=("training.optimizer=muon",))
    with pytest.raises(ValueError, match=r"optimizer is another than the config's training\.optimizer"):
        TrainingRun(other)


def test_a_run_learns_its_samples_by_heart(options: TrainingRunOptions) -> None:
    run = TrainingRun(replace(options, steps=40))
    assert run.run()
    log = rows(options.out / "train.csv")
    first, last = log[0], log[-1]
    for part, factor in (("occupancy", 0.25), ("depth", 0.8), ("heatmap", 0.1), ("box", 0.5)):
        assert float(last[part]) < factor * float(first[part]), part
    # Batch norms' running statistics lag far behind in so few steps: test_overfit looks at the evaluated network.
    validations = rows(options.out / "val.csv")
    assert [int(row["step"]) for row in validations] == [10, 20, 30, 40]
    assert float(validations[-1]["depth_error"]) < 0.75 * float(validations[0]["depth_error"])


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_resumed_run_continues_bit_by_bit(options: TrainingRunOptions, optimizer: str) -> None:
    kept = "training.losses.iou=1", "training.iou_memory=0.9"
    options = replace(options, overrides=(f"training.optimizer={optimizer}", *kept))
    whole = replace(options, steps=6, out=options.out / "whole")
    assert TrainingRun(whole).run()
    parts = replace(options, steps=6, out=options.out / "parts")
    interrupted = TrainingRun(parts)
    step = interrupted._train_step

    def train_step_then_stop(*arguments: object) -> tuple[float, ...]:
        if interrupted._step == 2:
            interrupted.request_stop()
        return step(*arguments)  # type: ignore[arg-type]

    interrupted._train_step = train_step_then_stop  # type: ignore[method-assign]
    assert not interrupted.run()
    assert load_checkpoint(parts.out / "checkpoint.pt").step == 3
    assert TrainingRun(replace(parts, resume=True)).run()

    expected, found = (load_checkpoint(out / "checkpoint.pt") for out in (whole.out, parts.out))
    assert found.step == expected.step == 6 and found.progress == expected.progress
    for name, value in expected.trained_network.items():
        assert torch.equal(found.trained_network[name], value), name
        assert torch.equal(found.network[name], expected.network[name]), name
    assert not torch.equal(expected.network[name], expected.trained_network[name])
    assert torch.equal(found.running_iou, expected.running_iou) and (expected.running_iou[3] > 4).all()
    assert len(expected.optimizer) == {"adamw": 1, "muon": 2}[optimizer]
    for wanted, got in zip(expected.optimizer, found.optimizer, strict=True):
        for index, state in wanted["state"].items():
            for name, value in state.items():
                assert np.array_equal(got["state"][index][name], value), (index, name)
    columns = ("step", "loss", "occupancy", "iou", "depth", "heatmap", "box", "gradient_norm", "learning_rate")
    logs = [[[row[c] for c in columns] for row in rows(out / "train.csv")] for out in (whole.out, parts.out)]
    assert logs[0][-1] == logs[1][-1] and [row[0] for row in logs[0]] == [row[0] for row in logs[1]]


def test_evaluate_repeats_the_figures_of_the_last_validation(
    options: TrainingRunOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    assert TrainingRun(replace(options, steps=10)).run()
    capsys.readouterr()
    checkpoint = str(options.out / "checkpoint.pt")
    arguments = [
        "--config",
        str(options.config),
        "--checkpoint",
        checkpoint,
        "--data",
        str(options.val),
        "--threads",
        "1",
    ]
    assert evaluate_main([*arguments, "--threads", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    logged = rows(options.out / "val.csv")[-1]
    assert figures["samples"] == 3
    assert figures["network"]["mean_iou"] == pytest.approx(float(logged["mean_iou"]), rel=1e-4)
    assert figures["prior"]["mean_iou"] == pytest.approx(float(logged["prior_mean_iou"]), rel=1e-4)
    assert evaluate_main([*arguments, "--samples", "1"]) == 0
    table = capsys.readouterr().out
    # The prior of a single sample is the sample.
    assert "| driveable_surface    |" in table and " 100.0 |" in table and "1 samples" in table


def test_resuming_without_a_checkpoint_says_what_to_do(options: TrainingRunOptions) -> None:
    with pytest.raises(FileNotFoundError, match=r"no checkpoint to resume from; start the run without --resume"):
        TrainingRun(replace(options, resume=True))
