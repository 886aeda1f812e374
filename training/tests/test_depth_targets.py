"""LiDAR returns as soft depth targets."""

from pathlib import Path

import numpy as np
import pytest
from tiny_dataset import SPEC, intrinsics

from bdc_training.depth_targets import depth_targets, load_points


def at_pixel(u: float, v: float, depth: float) -> np.ndarray:
    return depth * np.linalg.inv(np.array(intrinsics())) @ [u, v, 1.0]


def test_a_return_lands_in_its_cell_and_bin() -> None:
    target = depth_targets(np.array([at_pixel(20, 5, 7.3)]), np.array(intrinsics()), SPEC)
    # Bins are centred on 1, 3, 5, 7 m …; column 20 lies in cell 1 of width 16.
    assert np.argwhere(target).tolist() == [[3, 0, 1]]
    assert target[3, 0, 1] == 1


def test_a_cell_shares_its_weight_between_the_depths_of_its_returns() -> None:
    points = np.array([at_pixel(40, 20, 9), at_pixel(41, 21, 9), at_pixel(42, 22, 9), at_pixel(43, 23, 21)])
    target = depth_targets(points, np.array(intrinsics()), SPEC)
    assert target[4, 1, 2] == pytest.approx(0.75)
    assert target[10, 1, 2] == pytest.approx(0.25)


def test_the_outermost_half_pixels_belong_to_the_image() -> None:
    points = np.array([at_pixel(-0.4, 10, 5), at_pixel(63.4, 10, 5), at_pixel(-0.6, 10, 5), at_pixel(63.6, 10, 5)])
    target = depth_targets(points, np.array(intrinsics()), SPEC)
    assert np.argwhere(target)[:, 2].tolist() == [0, 3]


def test_returns_behind_the_camera_or_beyond_the_bins_give_no_target() -> None:
    points = np.array([-at_pixel(20, 5, 7), at_pixel(20, 5, 45), at_pixel(20, 5, 0.0)])
    assert not depth_targets(points, np.array(intrinsics()), SPEC).any()


def test_returns_from_the_vehicle_itself_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "points.pcd.bin"
    np.array([[0.3, 0.2, 0.1, 9, 0], [5, 0, 0, 9, 1]], np.float32).tofile(path)
    np.testing.assert_array_equal(load_points(path), [[5, 0, 0]])


def test_a_cut_point_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.pcd.bin"
    path.write_bytes(bytes(5 * 20 + 1))
    with pytest.raises(ValueError, match=r"points\.pcd\.bin: expected whole points of 20 bytes; found 101"):
        load_points(path)
