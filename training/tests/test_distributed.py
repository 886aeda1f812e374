"""Two processes on the CPU are as one: gradients, logs, resuming."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from gradient_of_first_step import save_gradient
from tiny_config import write_tiny_config
from tiny_dataset import write_tiny_dataset

from bdc_training.checkpoint import load_checkpoint
from bdc_training.distributed import Process

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no torch.distributed")
TRAINING = Path(__file__).parents[1]


def in_two_processes(logs: Path, *command: str) -> subprocess.CompletedProcess[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    # Without these two PyTorch 1.13 fails on Python 3.11, whose enumerations differ.
    torchrun += ["--redirects", "1", "--tee", "1", "--log_dir", str(logs)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TRAINING)}
    return subprocess.run(
        [*torchrun, *command], cwd=TRAINING, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    write_tiny_dataset(tmp_path / "data", samples=3)
    write_tiny_config(tmp_path / "tiny.yaml")
    return tmp_path


def make_samples_unequal(root: Path) -> None:
    """Other numbers of boxes, returns and visible voxels in each: a mean of the processes' means would be wrong."""
    table = root / "v1.0-tiny" / "sample_annotation.json"
    annotations = json.loads(table.read_text())
    kept = [row for row in annotations if row["token"] not in DROPPED]
    links = [{end: "" for end in ("prev", "next") if row[end] in DROPPED} for row in kept]
    table.write_text(json.dumps([{**row, **ends} for row, ends in zip(kept, links, strict=True)]))
    for sample in range(3):
        returns = root / "samples" / "LIDAR_TOP" / f"{sample}.pcd.bin"
        returns.write_bytes(returns.read_bytes()[: 20 * (100 + 100 * sample)])
        labels = root / "gts" / "scene-0001" / f"sample-{sample}" / "labels.npz"
        with np.load(labels) as file:
            arrays = dict(file)
        arrays["mask_camera"][:, : 40 * sample] = 0
        np.savez(labels, **arrays)


DROPPED = ("vehicle.car-1", "vehicle.car-2", "human.pedestrian.adult-2")


@pytest.mark.parametrize("overrides", [(), ("training.losses.iou=2", "training.iou_memory=0.9")])
def test_the_gradient_of_two_processes_is_that_of_one_with_the_whole_batch(
    folder: Path, overrides: tuple[str, ...]
) -> None:
    make_samples_unequal(folder / "data")
    places = {name: folder / name / "out" for name in ("one", "two")}
    for place in places.values():
        place.mkdir(parents=True)
    save_gradient(folder / "tiny.yaml", folder / "data", places["one"], *overrides)
    script = str(TRAINING / "tests" / "gradient_of_first_step.py")
    arguments = str(folder / "tiny.yaml"), str(folder / "data"), str(places["two"]), *overrides
    result = in_two_processes(folder, script, *arguments)
    assert result.returncode == 0, result.stderr
    one, two = (torch.load(place / "gradient.pt") for place in places.values())
    assert one.keys() == two.keys()
    for name, gradient in one.items():
        torch.testing.assert_close(
            two[name], gradient, rtol=1e-3, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_two_processes_train_validate_stop_and_resume(folder: Path) -> None:
    data, out = str(folder / "data"), folder / "out"
    command = ["-m", "bdc_training.train", "--config", str(folder / "tiny.yaml"), "--data", data, "--val", data]
    command += ["--out", str(out), "--threads", "1", "--device", "cpu", "--set", "training.log_every=1"]
    first = in_two_processes(folder, *command, "--steps", "3", "--set", "training.validate_every=2")
    assert first.returncode == 0, first.stderr
    second = in_two_processes(folder, *command, "--steps", "5", "--resume")
    assert second.returncode == 0, second.stderr
    assert load_checkpoint(out / "checkpoint.pt").step == 5
    lines = (out / "train.csv").read_text().split()
    assert [line.split(",")[0] for line in lines] == ["step", "1", "2", "3", "4", "5"]
    assert len((out / "val.csv").read_text().split()) == 2


def test_a_batch_that_cannot_be_shared_evenly_is_refused() -> None:
    process = Process(rank=1, count=2, device=torch.device("cpu"))
    assert process.share_of(6) == slice(3, 6)
    with pytest.raises(ValueError, match="of all processes together: 3 is not a multiple of 2"):
        process.share_of(3)
