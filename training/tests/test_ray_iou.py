"""RayIoU on cases worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
from tiny_dataset import LIDAR_MOUNT, edit_table, write_tiny_dataset

from bdc_training.classes import FREE
from bdc_training.nuscenes_tables import NuScenesTables
from bdc_training.ray_iou import RayIou, RayOrigins, lidar_rays, ray_ends

CAR, MANMADE, ROAD = 4, 15, 11
ORIGIN = np.array([0.1, 0.1, 1.5])


def empty() -> np.ndarray:
    return np.full((200, 200, 16), FREE, np.uint8)


def wall(x: int, label: int) -> np.ndarray:
    """One voxel thick, across the street, voxel `x` of the first axis."""
    labels = empty()
    labels[x] = label
    return labels


def test_a_ray_ends_where_it_leaves_its_first_occupied_voxel() -> None:
    labels = wall(130, CAR)
    labels[140] = MANMADE
    diagonal = np.array([0.6, 0.0, 0.8])
    ends = ray_ends(labels, ORIGIN, np.array([[1.0, 0, 0], [-1.0, 0, 0], diagonal, [0.6, 0.8, 0.0]]))
    # Voxel 130 goes from 12 to 12.4 m; the third ray leaves through the top, 3.9 m above the origin, and the
    # fourth meets the wall at y = 15.97 m and leaves that voxel through its side at y = 16 m.
    assert ends.label.tolist() == [CAR, FREE, FREE, CAR]
    np.testing.assert_allclose(ends.depth, [12.3, 0, 0, 15.9 / 0.8], atol=1e-9)
    assert ends.voxel[0] == (130 * 200 + 100) * 16 + 6


def test_rays_along_voxel_borders_and_through_corners_end_too() -> None:
    labels = wall(130, CAR)
    for direction in ([1.0, 0, 0], [0.5**0.5, 0.5**0.5, 0], [0.5**0.5, -(0.5**0.5), 0]):
        assert ray_ends(labels, np.array([0.0, 0.0, 1.4]), np.array([direction])).label[0] == CAR


def test_there_is_one_ray_a_degree_at_sparseoccs_elevations() -> None:
    rays = lidar_rays()
    np.testing.assert_allclose(np.linalg.norm(rays, axis=1), 1)
    pitches = np.unique(np.arcsin(rays[:, 2]).round(9))
    assert len(rays) == 360 * len(pitches)
    assert pitches[0] == pytest.approx(-np.pi / 4) and 0.21 <= pitches[-1] < 0.22


@pytest.mark.parametrize(("cells", "expected"), [(0, [1, 1, 1]), (2, [1, 1, 1]), (4, [0, 1, 1]), (9, [0, 0, 1])])
def test_a_hit_is_as_near_as_the_threshold(cells: int, expected: list[float]) -> None:
    truth, predicted = empty(), empty()
    truth[130, 100], predicted[130 + cells, 100] = CAR, CAR
    rays = RayIou(np.array([[1.0, 0.0, 0.0]]))
    rays.add(truth, np.ones_like(truth), predicted, ORIGIN[None])
    report = rays.report()
    assert [round(report[name]) for name in ("1m", "2m", "4m")] == expected


def test_rays_that_end_nowhere_in_truth_do_not_count_and_unseen_ends_only_in_all() -> None:
    truth, predicted = wall(130, CAR), wall(130, CAR)
    predicted[60] = MANMADE
    visible = np.ones_like(truth)
    rays = RayIou()
    rays.add(truth, visible, predicted, ORIGIN[None])
    assert rays.report()["mean"] == rays.report()["camera_visible"]["mean"] == 1
    visible[:, 100:] = 0
    rays = RayIou()
    predicted[130, 100:] = ROAD
    rays.add(truth, visible, predicted, ORIGIN[None])
    assert rays.report()["camera_visible"]["mean"] == 1
    assert 0 < rays.report()["mean"] < 0.5
    assert RayIou().report()["mean"] is None


def test_rays_begin_where_the_lidar_was_at_the_key_frames_of_the_scene(tmp_path: Path) -> None:
    write_tiny_dataset(tmp_path, samples=3)
    records = NuScenesTables(tmp_path).samples()
    origins = RayOrigins(records).of(records[1])
    # The vehicle drives straight on, 2.5 m from key frame to key frame.
    np.testing.assert_allclose(origins, np.add([[-2.5, 0, 0], [0, 0, 0], [2.5, 0, 0]], LIDAR_MOUNT[1]), atol=1e-9)


def test_of_a_long_scene_eight_places_within_reach_are_used(tmp_path: Path) -> None:
    write_tiny_dataset(tmp_path, samples=30)
    records = NuScenesTables(tmp_path).samples()
    x = RayOrigins(records).of(records[0])[:, 0] - LIDAR_MOUNT[1][0]
    # 15 · 2.5 m + 0.9 m is within 39 m, 16 · 2.5 m isn't.
    np.testing.assert_allclose(x, 2.5 * np.array([0, 2, 4, 6, 9, 11, 13, 15]), atol=1e-9)


def test_the_order_of_the_table_does_not_matter(tmp_path: Path) -> None:
    write_tiny_dataset(tmp_path, samples=3)
    edit_table(tmp_path, "sample", lambda row: {**row, "timestamp": 10**6 - row["timestamp"]})
    records = NuScenesTables(tmp_path).samples()
    origins = RayOrigins(records).of(records[1])
    np.testing.assert_allclose(origins[:, 0] - LIDAR_MOUNT[1][0], [2.5, 0, -2.5], atol=1e-9)
