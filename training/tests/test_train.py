"""The training command: overrides, a loss that isn't finite, a full disk."""

import math
from pathlib import Path

import pytest
import torch
import yaml
from tiny_config import write_tiny_config
from tiny_dataset import write_tiny_dataset

from bdc_training import training_run
from bdc_training.checkpoint import load_checkpoint
from bdc_training.train import main


@pytest.fixture()
def arguments(tmp_path: Path) -> list[str]:
    write_tiny_dataset(tmp_path / "data", samples=3)
    write_tiny_config(tmp_path / "tiny.yaml")
    data = str(tmp_path / "data")
    command = ["--config", str(tmp_path / "tiny.yaml"), "--data", data, "--val", data, "--out", str(tmp_path / "out")]
    return [*command, "--threads", "1", "--device", "cpu"]


def spoil_loss(monkeypatch: pytest.MonkeyPatch, at_call: int, value: float) -> None:
    """The loss of one step becomes `value`, as a part of it would make it."""
    calls = iter(range(10**6))
    honest = training_run.total_loss

    def spoilt(*inputs: object) -> tuple[torch.Tensor, dict[str, float]]:
        loss, parts = honest(*inputs)  # type: ignore[arg-type]
        return (loss * value, {**parts, "depth": value}) if next(calls) == at_call else (loss, parts)

    monkeypatch.setattr(training_run, "total_loss", spoilt)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_training_and_keeps_the_state_before_it(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: float,
) -> None:
    assert main([*arguments, "--steps", "2"]) == 0
    before = load_checkpoint(tmp_path / "out" / "checkpoint.pt")
    with monkeypatch.context() as patch:
        spoil_loss(patch, 0, value)
        assert main([*arguments, "--steps", "4", "--resume"]) == 3
    error = capsys.readouterr().err
    assert f"step 2: the loss or its gradient is not finite: loss {value}" in error and f"depth {value}" in error
    assert "image_encoder.stem" in error and "samples sample-" in error and "--resume" in error
    after = load_checkpoint(tmp_path / "out" / "checkpoint.pt")
    assert after.step == 2
    for name, weight in before.trained_network.items():
        assert torch.equal(after.trained_network[name], weight), name
    assert main([*arguments, "--steps", "4", "--resume"]) == 0
    assert load_checkpoint(tmp_path / "out" / "checkpoint.pt").step == 4


def test_weights_that_are_not_finite_never_replace_a_checkpoint(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--steps", "2"]) == 0
    step = torch.optim.AdamW.step

    def overflowing_step(optimizer: torch.optim.AdamW) -> None:
        step(optimizer)
        with torch.no_grad():
            optimizer.param_groups[0]["params"][0].fill_(math.inf)

    monkeypatch.setattr(torch.optim.AdamW, "step", overflowing_step)
    assert main([*arguments, "--steps", "4", "--resume"]) == 3
    error = capsys.readouterr().err
    assert "the weights after 3 steps are not finite" in error and "checkpoint.pt keeps step 2" in error
    assert load_checkpoint(tmp_path / "out" / "checkpoint.pt").step == 2


def test_a_full_disk_keeps_the_checkpoint_and_exits_with_a_message(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--steps", "1"]) == 0
    (tmp_path / "out" / "checkpoint.pt.partial").symlink_to("/dev/full")
    assert main([*arguments, "--steps", "2", "--resume"]) == 2
    assert "checkpoint.pt could not be written (No space left on device)" in capsys.readouterr().err
    assert load_checkpoint(tmp_path / "out" / "checkpoint.pt").step == 1


def test_a_run_is_not_begun_anew_over_an_earlier_one(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--steps", "1"]) == 0
    before = (tmp_path / "out" / "checkpoint.pt").read_bytes()
    assert main([*arguments, "--steps", "2"]) == 2
    assert "checkpoint.pt: there from an earlier run; go on with --resume" in capsys.readouterr().err
    assert (tmp_path / "out" / "checkpoint.pt").read_bytes() == before


def test_ctrl_c_while_the_data_is_prepared_ends_with_130(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training_run, "class_frequencies", interrupt)
    assert main(arguments) == 130
    assert "interrupted before the first step" in capsys.readouterr().err
    assert not (tmp_path / "out" / "checkpoint.pt").exists()


def test_values_set_on_the_command_line_are_used_and_kept_beside_the_checkpoint(
    arguments: list[str], tmp_path: Path
) -> None:
    options = ["--set", "training.steps=1", "--set", "unit.version=V1", "--set", "training.learning_rate=1e-4"]
    assert main([*arguments, *options]) == 0
    checkpoint = load_checkpoint(tmp_path / "out" / "checkpoint.pt")
    assert checkpoint.step == 1 and not any("refinement" in name for name in checkpoint.network)
    kept = yaml.safe_load((tmp_path / "out" / "config.yaml").read_text())
    assert kept["unit"] == {"version": "V1"} and float(kept["training"]["learning_rate"]) == 1e-4


def test_resuming_with_other_values_tells_which(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "--steps", "1"]) == 0
    assert main([*arguments, "--steps", "2", "--resume", "--set", "training.learning_rate=0.001"]) == 0
    assert "resumed with other values than before of training.learning_rate" in capsys.readouterr().out
    assert main([*arguments, "--steps", "3", "--resume", "--set", "bev_encoder.out_channels=64"]) == 2
    assert "the checkpoint is of another network than the config's" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("unit.versoin=V0", "unit.versoin: no such key; did you mean version?"),
        ("training.steps", "training.steps: expected key.path=value, such as training.steps=500"),
        ("name.first=x", "name.first=x: name is not a section"),
        ("training.learning_rate=fast", "training.learning_rate: expected float; found 'fast'"),
    ],
)
def test_a_wrong_override_is_answered_with_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str], override: str, message: str
) -> None:
    assert main([*arguments, "--set", override]) == 2
    assert message in capsys.readouterr().err


def test_scenes_of_a_list_that_the_data_lacks_are_named(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scenes.txt").write_text("scene-0001\nscene-0002\n")
    assert main([*arguments, "--scenes", str(tmp_path / "scenes.txt")]) == 2
    assert "no samples of the scenes scene-0002" in capsys.readouterr().err
    (tmp_path / "scenes.txt").write_text("scene-0001\n")
    assert main([*arguments, "--scenes", str(tmp_path / "scenes.txt"), "--steps", "1"]) == 0
    assert "3 samples are learned from and measured on" in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_missing_gpu_is_answered_with_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "--device", "cuda"]) == 2
    assert "PyTorch finds no CUDA device; use --device cpu" in capsys.readouterr().err


def test_bfloat16_trains_and_gradients_are_logged_by_module(arguments: list[str], tmp_path: Path) -> None:
    options = ["--set", "training.mixed_precision=bfloat16", "--set", "training.log_gradients=true"]
    assert main([*arguments, *options, "--set", "training.log_every=1", "--steps", "1"]) == 0
    header, row = (line.split(",") for line in (tmp_path / "out" / "gradients.csv").read_text().split())
    assert header[0] == "step" and "bev_encoder.up2" in header
    train = (tmp_path / "out" / "train.csv").read_text().split()[1].split(",")
    assert math.hypot(*(float(value) for value in row[1:])) == pytest.approx(float(train[-1]), rel=1e-4)
