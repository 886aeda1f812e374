"""The whole chain learns one scene by heart: images, geometry, losses, gradients of the binary layers, averaging."""

import csv
from pathlib import Path

import numpy as np
from tiny_config import write_tiny_config
from tiny_dataset import write_tiny_dataset

from bdc_training.training_run import TrainingRun, TrainingRunOptions

OVERRIDES = (
    "input.width=256",
    "input.height=128",
    "training.augmentation.flip_x=0",
    "training.augmentation.flip_y=0",
    "training.batch_size=1",
    "training.log_every=10",
    "training.validate_every=180",
    "training.ema_decay=0.9",
)


def hide_what_no_camera_sees(labels: Path) -> None:
    """Voxels outside a wedge in front; outside the images nothing could tell road from pavement."""
    with np.load(labels) as file:
        arrays = dict(file)
    x, y = (np.indices((200, 200)) + 0.5) * 0.4 - 40
    arrays["mask_camera"] = arrays["mask_camera"] * ((x > 4) & (x < 30) & (abs(y) < 0.6 * x))[..., None]
    np.savez(labels, **arrays)


def test_a_small_network_learns_one_scene_by_heart(tmp_path: Path) -> None:
    write_tiny_dataset(tmp_path / "data", samples=1)
    hide_what_no_camera_sees(tmp_path / "data" / "gts" / "scene-0001" / "sample-0" / "labels.npz")
    config = tmp_path / "tiny.yaml"
    write_tiny_config(config)
    data, out = tmp_path / "data", tmp_path / "out"
    options = TrainingRunOptions(config, data, data, out, steps=180, threads=1, overrides=OVERRIDES, device="cpu")
    assert TrainingRun(options).run()
    with (out / "train.csv").open(newline="") as file:
        *_, last = csv.DictReader(file)
    with (out / "val.csv").open(newline="") as file:
        (validation,) = csv.DictReader(file)
    # Nothing that answers one class everywhere gets beyond a third: three classes occur beside free.
    assert float(validation["mean_iou"]) > 0.7
    assert float(validation["occupied_iou"]) > 0.95
    assert float(validation["depth_error"]) < 1.2
    assert float(last["occupancy"]) < 0.12
