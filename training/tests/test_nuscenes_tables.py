"""Reading the tables: frames, boxes, velocities."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tiny_dataset import box_in_ego, camera_mount, ego_pose, write_tiny_dataset

from bdc_training.nuscenes_tables import NuScenesTables
from bdc_training.rigid import transform


@pytest.fixture()
def root(tmp_path: Path) -> Path:
    write_tiny_dataset(tmp_path, samples=2)
    return tmp_path


def change(root: Path, table: str, index: int, **values: object) -> None:
    path = root / "v1.0-tiny" / f"{table}.json"
    rows = json.loads(path.read_text())
    rows[index].update(values)
    path.write_text(json.dumps(rows))


def test_boxes_come_out_in_the_ego_frame_of_the_lidar(root: Path) -> None:
    car, pedestrian = NuScenesTables(root).samples()[1].boxes
    expected = box_in_ego("vehicle.car", 1)
    assert car.name == "car" and pedestrian.name == "pedestrian"
    np.testing.assert_allclose(car.center, expected["center"], atol=1e-9)
    np.testing.assert_allclose(car.size, expected["lwh"])
    assert car.yaw == pytest.approx(expected["yaw"])


def test_cameras_are_moved_by_the_ego_motion_between_their_stamp_and_the_lidars(root: Path) -> None:
    camera = NuScenesTables(root).samples()[0].cameras["CAM_BACK"]
    moved = np.linalg.inv(transform(*ego_pose(0.0))) @ transform(*ego_pose(-0.03))
    np.testing.assert_allclose(camera.ego_from_camera, moved @ transform(*camera_mount("CAM_BACK")), atol=1e-9)


def test_velocity_comes_from_the_neighbouring_annotations(root: Path) -> None:
    # The car moves 1 m relative to an ego that drives 2.5 m, in half a second.
    car = NuScenesTables(root).samples()[0].boxes[0]
    np.testing.assert_allclose(car.velocity, [7.0, 0.0], atol=1e-6)


def test_a_velocity_field_of_a_single_frame_scene_is_turned_into_the_ego_frame(root: Path) -> None:
    heading = [np.cos(0.5), np.sin(0.5), 0.0]
    change(root, "sample_annotation", 0, velocity=[3 * v for v in heading], prev="", next="")
    car = NuScenesTables(root).samples()[0].boxes[0]
    np.testing.assert_allclose(car.velocity, [3.0, 0.0], atol=1e-9)


def test_velocity_is_unknown_for_an_object_seen_once(root: Path) -> None:
    change(root, "sample_annotation", 0, prev="", next="")
    assert np.isnan(NuScenesTables(root).samples()[0].boxes[0].velocity).all()


def test_objects_without_a_single_return_are_left_out(root: Path) -> None:
    change(root, "sample_annotation", 0, num_lidar_pts=0)
    assert [box.name for box in NuScenesTables(root).samples()[0].boxes] == ["pedestrian"]


def test_a_sample_without_lidar_is_named(root: Path) -> None:
    change(root, "sample_data", 0, is_key_frame=False)
    with pytest.raises(ValueError, match=r"sample-0 has no key frame of LIDAR_TOP"):
        NuScenesTables(root).samples()


def write(root: Path, table: str, text: str) -> None:
    (root / "v1.0-tiny" / f"{table}.json").write_text(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"token": "a", "scene_token": "sc', "expected JSON; the file may be cut off"),
        ("hello", "expected JSON"),
        ('{"token": "a"}', "expected a list of rows"),
        ("[1, 2]", "expected a list of rows"),
        ('[{"name": "a"}]', r"row \? has no field 'token'"),
        ('[{"token": "sample-0"}]', "row sample-0 has no field 'scene_token'"),
    ],
)
def test_a_damaged_table_is_named(root: Path, text: str, message: str) -> None:
    write(root, "sample", text)
    with pytest.raises(ValueError, match=rf"v1\.0-tiny/sample\.json: {message}"):
        NuScenesTables(root).samples()


def test_a_missing_table_is_named(root: Path) -> None:
    (root / "v1.0-tiny" / "ego_pose.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"ego_pose\.json"):
        NuScenesTables(root)


@pytest.mark.parametrize("table", ["scene", "ego_pose", "calibrated_sensor", "sensor", "instance", "category"])
def test_a_row_that_another_table_points_to_but_isnt_there_is_named(root: Path, table: str) -> None:
    write(root, table, "[]")
    with pytest.raises(ValueError, match=rf"{table}\.json: no row '.*', which another table points to"):
        NuScenesTables(root).samples()


def test_a_neighbour_that_isnt_there_is_named(root: Path) -> None:
    change(root, "sample_annotation", 0, next="gone")
    with pytest.raises(ValueError, match=r"sample_annotation\.json: no row 'gone'"):
        NuScenesTables(root).samples()


@pytest.mark.parametrize(
    ("table", "values", "message"),
    [
        ("ego_pose", {"rotation": [0, 0, 0, 0]}, "expected a quaternion"),
        ("ego_pose", {"translation": [0, math.nan, 0]}, "expected a finite translation"),
        ("calibrated_sensor", {"camera_intrinsic": []}, "needs a finite camera_intrinsic of 3×3"),
        ("sample_annotation", {"size": [1.8, 0, 1.6]}, r"needs sides above 0 m; found \[1\.8, 0, 1\.6\]"),
        ("sample_annotation", {"size": [1.8, math.nan, 1.6]}, "needs sides above 0 m"),
    ],
)
def test_numbers_that_would_spoil_training_are_refused(
    root: Path, table: str, values: dict[str, object], message: str
) -> None:
    change(root, table, 0, **values)
    with pytest.raises(ValueError, match=rf"{table}\.json: row .*{message}"):
        NuScenesTables(root).samples()


def test_a_folder_that_isnt_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere: no such folder"):
        NuScenesTables(tmp_path / "nowhere")


def test_a_folder_without_tables_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected one folder .* found none"):
        NuScenesTables(tmp_path)
