"""Configurations without an occupancy head: they train, and are refused where voxels are needed."""

import json
from pathlib import Path

import pytest
from tiny_config import write_tiny_config
from tiny_dataset import write_tiny_dataset

from bdc_training.calibrate import main as calibrate
from bdc_training.config import load_config
from bdc_training.evaluate import main as evaluate
from bdc_training.export import export_network
from bdc_training.exported_model import ExportedModel
from bdc_training.network import build_network
from bdc_training.train import main as train


@pytest.fixture()
def run(tmp_path: Path) -> list[str]:
    """A finished run of a detection network whose grid is not Occ3D's, as arguments of further commands."""
    data, config, out = tmp_path / "data", tmp_path / "tiny.yaml", tmp_path / "out"
    write_tiny_dataset(data, samples=2)
    grid = {"min": [-51.2, -51.2, -5.0], "max": [51.2, 51.2, 3.0], "shape": [64, 64, 1]}
    every_step = {"log_every": 1, "validate_every": 1, "warmup_steps": 1}
    write_tiny_config(config, grid=grid, heads={"occupancy": "none"}, training=every_step)
    files = ["--config", str(config), "--data", str(data)]
    assert train([*files, "--val", str(data), "--out", str(out), "--steps", "2", "--threads", "1"]) == 0
    return [*files, "--checkpoint", str(out / "checkpoint.pt"), "--threads", "1"]


def test_it_trains_and_its_validation_is_of_depth(run: list[str], tmp_path: Path) -> None:
    header, *rows = ((line.split(",")) for line in (tmp_path / "out" / "val.csv").read_text().split())
    figures = dict(zip(header, rows[-1], strict=True))
    assert figures["step"] == "2" and figures["mean_iou"] == "nan" and float(figures["depth_error"]) > 0
    train_header, *train_rows = (line.split(",") for line in (tmp_path / "out" / "train.csv").read_text().split())
    losses = dict(zip(train_header, train_rows[-1], strict=True))
    assert float(losses["occupancy"]) == 0 and float(losses["heatmap"]) > 0


def test_evaluate_measures_depth_and_says_what_it_leaves_out(
    run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert evaluate(run) == 0
    assert "there is no occupancy head" in capsys.readouterr().out
    assert evaluate([*run, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report.keys() == {"samples", "depth_error"} and report["samples"] == 2


def test_calibrate_refuses_it(run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrate([*run, "--out", str(tmp_path / "calibrated.pt")]) == 2
    assert "has no occupancy head" in capsys.readouterr().err
    assert not (tmp_path / "calibrated.pt").exists()


def test_an_exported_model_without_voxels_is_refused(run: list[str], tmp_path: Path) -> None:
    config = load_config(tmp_path / "tiny.yaml")
    export_network(build_network(config).eval(), config, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="the output occupancy_labels"):
        ExportedModel(tmp_path / "model.safetensors")
