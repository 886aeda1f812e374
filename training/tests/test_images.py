"""The resize and crop rule."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bdc_training.images import ResizeCrop, load_image


def test_a_nuscenes_image_is_scaled_by_the_width_and_loses_rows_at_the_top() -> None:
    rule = ResizeCrop.of((1600, 900), (704, 256))
    assert (rule.scaled_width, rule.scaled_height, rule.left, rule.top) == (704, 396, 0, 140)


def test_a_wide_image_is_scaled_by_the_height_and_loses_both_sides() -> None:
    rule = ResizeCrop.of((800, 128), (352, 128))
    assert (rule.scaled_width, rule.scaled_height, rule.left, rule.top) == (800, 128, 224, 0)


def test_the_matrix_tells_where_a_pixel_went(tmp_path: Path) -> None:
    image = np.zeros((90, 160, 3), np.uint8)
    image[60:64, 100:104] = 255
    path = tmp_path / "spot.png"
    Image.fromarray(image).save(path)
    small, rule = load_image(path, (80, 32))
    assert small.shape == (3, 32, 80)
    # Centre of the spot; mean of where its light is.
    u, v, _ = rule.matrix @ [101.5, 61.5, 1]
    rows, columns = np.indices(small.shape[1:])
    light = small[0] / small[0].sum()
    np.testing.assert_allclose([(light * columns).sum(), (light * rows).sum()], [u, v], atol=0.02)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("length", [0, 10, 1500])
def test_a_damaged_image_is_named(tmp_path: Path, suffix: str, length: int) -> None:
    path = tmp_path / f"cut.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 80, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=rf"cut\.{suffix}: not an image that can be decoded, or a damaged one"):
        load_image(path, (80, 32))


def test_an_image_of_the_right_size_is_taken_as_it_is(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (32, 80, 3), dtype=np.uint8)
    path = tmp_path / "noise.png"
    Image.fromarray(image).save(path)
    loaded, rule = load_image(path, (80, 32))
    np.testing.assert_array_equal(loaded, image.transpose(2, 0, 1))
    np.testing.assert_array_equal(rule.matrix, np.eye(3))
