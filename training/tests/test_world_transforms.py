"""Mirroring, turning and scaling keep what is seen and where it is together."""

from pathlib import Path

import numpy as np
import pytest
from tiny_dataset import SPEC, write_tiny_dataset

from bdc_training.dataset import OccupancyDataset, Sample
from bdc_training.sample_spec import UNSEEN
from bdc_training.world_transforms import flip, turn_and_scale

CENTER, SIZE, YAW, VELOCITY = slice(1, 4), slice(4, 7), 7, slice(8, 10)


@pytest.fixture()
def sample(tmp_path: Path) -> Sample:
    # Two samples: a single one has no velocities.
    write_tiny_dataset(tmp_path, samples=2)
    return OccupancyDataset(tmp_path, SPEC)[0]


def cell_and_depth(sample: Sample, camera: int, point: np.ndarray) -> tuple[np.ndarray, float]:
    """Where a point of the ego frame appears, in cells (column, row) from the outermost cells' rays, and its depth.

    A cell's ray is corner + column · right + row · down, so (depth, depth · column, depth · row) solve a linear system.
    """
    rays = sample.rays[camera].astype(np.float64)
    rows, columns = rays.shape[:2]
    right = (rays[0, -1] - rays[0, 0]) / (columns - 1)
    down = (rays[-1, 0] - rays[0, 0]) / (rows - 1)
    depth, u, v = np.linalg.solve(np.stack([rays[0, 0], right, down], axis=1), point - sample.origins[camera])
    return np.array([u / depth, v / depth]), depth


@pytest.mark.parametrize("axis", [0, 1])
def test_a_box_stays_on_its_mirrored_pixels(sample: Sample, axis: int) -> None:
    flipped = flip(sample, axis)
    columns = SPEC.feature_shape[1]
    for before, after in zip(sample.boxes, flipped.boxes, strict=True):
        (u, v), depth = cell_and_depth(sample, 0, before[CENTER])
        (mirrored_u, mirrored_v), mirrored_depth = cell_and_depth(flipped, 0, after[CENTER])
        assert depth > 5 and mirrored_depth == pytest.approx(depth, rel=1e-5)
        assert mirrored_u == pytest.approx(columns - 1 - u, abs=1e-4)
        assert mirrored_v == pytest.approx(v, abs=1e-4)
    np.testing.assert_array_equal(flipped.images, sample.images[..., ::-1])


@pytest.mark.parametrize("axis", [0, 1])
def test_voxels_and_boxes_move_together(sample: Sample, axis: int) -> None:
    flipped = flip(sample, axis)
    for state in (sample, flipped):
        car = state.boxes[0]
        i, j, k = np.floor((car[CENTER] - np.array(SPEC.grid_min)) / 1.6).astype(int)
        assert state.labels[i, j, k] == 4
    assert not np.array_equal(flipped.labels, sample.labels)


@pytest.mark.parametrize("axis", [0, 1])
def test_heading_and_velocity_are_mirrored(sample: Sample, axis: int) -> None:
    before, after = sample.boxes[0], flip(sample, axis).boxes[0]
    mirror = np.array([-1, 1] if axis == 0 else [1, -1])
    heading = np.array([np.cos(before[YAW]), np.sin(before[YAW])])
    np.testing.assert_allclose([np.cos(after[YAW]), np.sin(after[YAW])], heading * mirror, atol=1e-6)
    np.testing.assert_array_equal(after[VELOCITY], before[VELOCITY] * mirror)


@pytest.mark.parametrize("axis", [0, 1])
def test_depth_targets_follow_the_image(sample: Sample, axis: int) -> None:
    np.testing.assert_array_equal(flip(sample, axis).depth, sample.depth[..., ::-1])


@pytest.mark.parametrize("axis", [0, 1])
def test_flipping_twice_gives_the_sample_back(sample: Sample, axis: int) -> None:
    twice = flip(flip(sample, axis), axis)
    for name, value in vars(sample).items():
        np.testing.assert_allclose(getattr(twice, name), value, atol=1e-6, err_msg=name)


def test_flipping_both_axes_turns_the_vehicle_round(sample: Sample) -> None:
    turned = flip(flip(sample, 0), 1)
    np.testing.assert_array_equal(turned.images, sample.images)
    np.testing.assert_array_equal(turned.rays, sample.rays * np.array([-1, -1, 1], dtype=np.float32))
    np.testing.assert_array_equal(turned.labels, sample.labels[::-1, ::-1])
    np.testing.assert_allclose(np.cos(turned.boxes[:, YAW]), -np.cos(sample.boxes[:, YAW]), atol=1e-6)


def test_a_turned_and_scaled_box_stays_on_its_pixels_at_its_depth(sample: Sample) -> None:
    turned = turn_and_scale(sample, 0.3, 1.04, SPEC)
    for before, after in zip(sample.boxes, turned.boxes, strict=True):
        cell, depth = cell_and_depth(sample, 0, before[CENTER])
        turned_cell, turned_depth = cell_and_depth(turned, 0, after[CENTER])
        assert turned_depth == pytest.approx(depth, rel=1e-5)
        np.testing.assert_allclose(turned_cell, cell, atol=1e-4)
        assert np.linalg.norm(after[CENTER]) == pytest.approx(1.04 * np.linalg.norm(before[CENTER]), rel=1e-5)
        assert after[YAW] == pytest.approx(before[YAW] + 0.3)
        np.testing.assert_allclose(after[SIZE], 1.04 * before[SIZE], rtol=1e-6)
        # The vehicle that drives along its heading still does.
        speed, turned_speed = np.linalg.norm(before[VELOCITY]), np.linalg.norm(after[VELOCITY])
        assert turned_speed == pytest.approx(1.04 * speed, rel=1e-5)
    np.testing.assert_array_equal(turned.images, sample.images)


def test_turned_voxels_follow_the_box(sample: Sample) -> None:
    turned = turn_and_scale(sample, 0.3, 1.04, SPEC)
    i, j, k = np.floor((turned.boxes[0, CENTER] - np.array(SPEC.grid_min)) / 1.6).astype(int)
    assert turned.labels[i, j, k] == 4
    assert (turned.labels == UNSEEN).sum() > (sample.labels == UNSEEN).sum()


def test_a_quarter_turn_is_exact(sample: Sample) -> None:
    turned = turn_and_scale(sample, np.pi / 2, 1.0, SPEC)
    # New x is old −y, new y is old x.
    np.testing.assert_array_equal(turned.labels, np.flip(sample.labels.transpose(1, 0, 2), 0))
