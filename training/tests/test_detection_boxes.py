"""Decoding undoes the training targets, and the boxes come out as nuScenes takes them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_config import write_tiny_config
from tiny_dataset import box_in_ego, write_tiny_dataset
from torch import Tensor

from bdc_training.config import load_config
from bdc_training.detection_boxes import BoxDecoder, BoxSubmission, attribute, rectangle, rectangle_iou
from bdc_training.detection_targets import CODE_SIZES, detection_targets
from bdc_training.model_file import network_manifest
from bdc_training.nuscenes_tables import NuScenesTables
from bdc_training.rigid import quaternion, transform


@pytest.fixture()
def manifest(tmp_path: Path) -> dict:
    write_tiny_config(tmp_path / "tiny.yaml")
    return network_manifest(load_config(tmp_path / "tiny.yaml"), license="", training_data="", metrics={})


def maps_of(boxes: np.ndarray, manifest: dict) -> dict[str, Tensor]:
    """The maps of a network that learned the targets of boxes [n, BOX_COLUMNS] by heart."""
    grid, classes = manifest["grid"], len(manifest["detection"]["classes"])
    targets = detection_targets(boxes, classes, grid["min"], grid["max"], (100, 100))
    codes = torch.zeros(sum(CODE_SIZES.values()), 100 * 100)
    codes[:, targets.cells] = torch.from_numpy(targets.codes).T
    heatmap = torch.logit(0.9 * torch.from_numpy(targets.heatmap), eps=1e-4)
    parts = codes.reshape(-1, 100, 100).split(list(CODE_SIZES.values()))
    return {"heatmap": heatmap, **dict(zip(CODE_SIZES, parts, strict=True))}


CAR = [0, 12.3, 3.1, 0.8, 4.4, 1.8, 1.6, 0.3, 5.0, -1.0]
PEDESTRIAN = [7, -9.2, -14.4, 0.9, 0.6, 0.7, 1.8, -2.0, 0.1, 0.0]


def test_the_boxes_of_the_targets_come_back(manifest: dict) -> None:
    boxes = BoxDecoder(manifest, 0.5).decode(maps_of(np.array([CAR, PEDESTRIAN], np.float32), manifest))
    assert sorted(box.label for box in boxes) == [0, 7]
    for box in boxes:
        expected = CAR if box.label == 0 else PEDESTRIAN
        found = [box.label, *box.center, *box.size, box.yaw, *box.velocity]
        np.testing.assert_allclose(found, expected, atol=1e-4)
        assert box.score == pytest.approx(0.9, abs=1e-4)


def test_a_box_on_a_better_one_is_suppressed_and_scores_below_the_threshold_are_left_out(manifest: dict) -> None:
    maps = maps_of(np.array([CAR], np.float32), manifest)
    row, column = divmod(int(maps["heatmap"][0].argmax()), 100)
    # Two cells on, out of the peak's neighbourhood: the same size, 1.6 m farther along the car.
    maps["heatmap"][0, row, column + 2] = 1.0
    for role in CODE_SIZES:
        maps[role][:, row, column + 2] = maps[role][:, row, column]
    assert len(BoxDecoder(manifest, 0.5).decode(maps)) == 1
    manifest["detection"]["nms_threshold"] = 0.9
    assert [round(box.score, 2) for box in BoxDecoder(manifest, 0.5).decode(maps)] == [0.9, 0.73]
    assert len(BoxDecoder(manifest, 0.8).decode(maps)) == 1


def test_the_iou_of_rectangles_is_that_of_their_areas() -> None:
    square = rectangle((0, 0), 2, 2, 0)
    assert rectangle_iou(square, rectangle((1, 0), 2, 2, 0)) == pytest.approx(2 / 6)
    assert rectangle_iou(square, rectangle((5, 0), 2, 2, 0)) == 0
    # An octagon: a square with a turned one of the same size.
    octagon = 8 * (math.sqrt(2) - 1)
    assert rectangle_iou(square, rectangle((0, 0), 2, 2, math.pi / 4)) == pytest.approx(octagon / (8 - octagon))


def test_a_quaternion_gives_its_rotation_back() -> None:
    for angles in (
        [1, 0, 0, 0],
        [0.5, 0.5, -0.5, 0.5],
        [0.1, -0.3, 0.2, 0.9],
        [0.0, 0.0, 0.0, 1.0],
        [-0.2, 0.4, 0.1, 0.3],
    ):
        rotation = transform(angles, [0, 0, 0])
        np.testing.assert_allclose(transform(quaternion(rotation), [0, 0, 0]), rotation, atol=1e-7)


def test_boxes_are_written_in_the_global_frame(manifest: dict, tmp_path: Path) -> None:
    write_tiny_dataset(tmp_path / "data", samples=2)
    record = NuScenesTables(tmp_path / "data").samples()[1]
    car = box_in_ego("vehicle.car", 1)
    row = [0, *car["center"], *car["lwh"], car["yaw"], 5.0, 0.0]
    submission = BoxSubmission(manifest)
    submission.add(record, maps_of(np.array([row], np.float32), manifest))
    submission.write(tmp_path / "new" / "results_nusc.json")
    results = json.loads((tmp_path / "new" / "results_nusc.json").read_text())["results"]
    (found,) = results[record.token]
    rows = json.loads((tmp_path / "data/v1.0-tiny/sample_annotation.json").read_text())
    truth = next(row for row in rows if row["token"] == "vehicle.car-1")
    for field in ("translation", "size", "rotation"):
        np.testing.assert_allclose(found[field], truth[field], atol=1e-3, err_msg=field)
    # Along the vehicle's heading of 0.5 rad.
    np.testing.assert_allclose(found["velocity"], [5 * math.cos(0.5), 5 * math.sin(0.5)], atol=1e-4)
    assert (found["detection_name"], found["attribute_name"]) == ("car", "vehicle.moving")
    assert found["sample_token"] == record.token and found["detection_score"] == pytest.approx(0.9, abs=1e-4)


def test_attributes_follow_class_and_speed() -> None:
    assert [attribute(name, 0.1) for name in ("barrier", "pedestrian", "bicycle", "bus", "trailer")] == [
        *("", "pedestrian.standing", "cycle.without_rider", "vehicle.stopped", "vehicle.parked")
    ]


def test_a_model_without_detection_has_no_boxes_to_write(manifest: dict) -> None:
    with pytest.raises(ValueError, match="no detection head"):
        BoxSubmission({key: value for key, value in manifest.items() if key != "detection"})
