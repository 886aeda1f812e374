"""A warped image, its rays and its depth targets still show the same world."""

from pathlib import Path

import numpy as np
import pytest
from test_world_transforms import CENTER, cell_and_depth
from tiny_dataset import HEIGHT, SPEC, WIDTH, write_tiny_dataset

from bdc_training.dataset import OccupancyDataset
from bdc_training.image_warp import random_pixel_maps, warp_image


def cells_from_pixels(pixels: np.ndarray) -> np.ndarray:
    """Columns and rows among the rays of pixels (u, v)."""
    rows, columns = SPEC.feature_shape
    return pixels[:2] * [(columns - 1) / (WIDTH - 1), (rows - 1) / (HEIGHT - 1)]


@pytest.fixture()
def dataset(tmp_path: Path) -> OccupancyDataset:
    write_tiny_dataset(tmp_path, samples=1)
    return OccupancyDataset(tmp_path, SPEC)


def test_a_3d_point_appears_where_the_pixel_map_takes_it(dataset: OccupancyDataset) -> None:
    maps = random_pixel_maps(2, (WIDTH, HEIGHT), 0.1, 5.0, np.random.default_rng(0))
    before = dataset[0]
    after = dataset.with_warped_images(0, before, maps)
    for box in before.boxes:
        point = box[CENTER]
        cell, depth = cell_and_depth(before, 0, point)
        rows, columns = SPEC.feature_shape
        pixel = cell * [(WIDTH - 1) / (columns - 1), (HEIGHT - 1) / (rows - 1)]
        warped_cell, warped_depth = cell_and_depth(after, 0, point)
        assert warped_depth == pytest.approx(depth, rel=1e-5)
        np.testing.assert_allclose(warped_cell, cells_from_pixels(maps[0] @ [*pixel, 1]), atol=1e-4)


def test_a_spot_in_the_image_goes_where_the_pixel_map_says() -> None:
    image = np.zeros((3, 40, 60), np.uint8)
    image[:, 15:20, 22:27] = 255
    for matrix in random_pixel_maps(4, (60, 40), 0.1, 8.0, np.random.default_rng(1)):
        warped = warp_image(image, matrix)
        rows, columns = np.indices(warped.shape[1:])
        light = warped[0] / warped[0].sum()
        np.testing.assert_allclose(
            [(light * columns).sum(), (light * rows).sum()], (matrix @ [24, 17, 1])[:2], atol=0.1
        )


def test_zooming_alone_leaves_no_black_border() -> None:
    image = np.full((3, HEIGHT, WIDTH), 200, np.uint8)
    for matrix in random_pixel_maps(20, (WIDTH, HEIGHT), 0.1, 0.0, np.random.default_rng(2)):
        assert (warp_image(image, matrix) == 200).all()
        assert 1 <= matrix[0, 0] <= 1.1


def test_depth_targets_are_those_of_the_returns_in_the_warped_image(dataset: OccupancyDataset) -> None:
    sample = dataset[0]
    same = dataset.with_warped_images(0, sample, np.stack([np.eye(3)] * 2))
    for name, value in vars(sample).items():
        np.testing.assert_array_equal(getattr(same, name), value, err_msg=name)
    # One whole cell to the right.
    shift = np.eye(3)
    shift[0, 2] = SPEC.stride
    shifted = dataset.with_warped_images(0, sample, np.stack([shift] * 2))
    np.testing.assert_array_equal(shifted.depth[..., 1:], sample.depth[..., :-1])
    np.testing.assert_array_equal(shifted.images[..., SPEC.stride :], sample.images[..., : -SPEC.stride])
    assert not shifted.images[..., : SPEC.stride].any()
