"""Down-sampling of labels and class weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_dataset import SPEC

from bdc_training.classes import FREE
from bdc_training.occupancy_labels import (
    block_size,
    class_frequencies,
    class_weights,
    covered_blocks,
    down_sample,
    load_labels,
    load_occ3d,
)
from bdc_training.sample_spec import UNSEEN


def block(voxels: list[int], visible: list[int]) -> int:
    """Label of one 2×2×2 block given its eight voxels."""
    shape = (2, 2, 2)
    result = down_sample(np.array(voxels, np.uint8).reshape(shape), np.array(visible, np.uint8).reshape(shape), 2)
    assert result.shape == (1, 1, 1)
    return int(result[0, 0, 0])


ALL = [1] * 8


def test_one_visible_occupied_voxel_makes_the_block_occupied() -> None:
    assert block([FREE] * 7 + [8], ALL) == 8


def test_the_most_frequent_occupied_class_wins() -> None:
    assert block([4, 11, 11, FREE, FREE, FREE, FREE, FREE], ALL) == 11


def test_the_lowest_class_wins_a_tie() -> None:
    assert block([16, 16, 7, 7, FREE, FREE, FREE, FREE], ALL) == 7


def test_unseen_voxels_have_no_vote() -> None:
    assert block([4, 11, 11, 11, FREE, FREE, FREE, FREE], [1, 0, 0, 0, 1, 1, 1, 1]) == 4
    assert block([4] * 4 + [FREE] * 4, [0] * 4 + [1] * 4) == FREE


def test_a_block_nobody_sees_is_unseen() -> None:
    assert block([4] * 8, [0] * 8) == UNSEEN


def test_blocks_keep_their_place() -> None:
    semantics = np.full((8, 6, 4), FREE, np.uint8)
    semantics[5, 2, 3] = 9
    result = down_sample(semantics, np.ones_like(semantics), 2)
    assert result.shape == (4, 3, 2)
    assert np.argwhere(result == 9).tolist() == [[2, 1, 1]]


@pytest.mark.parametrize(
    "change",
    [
        {"grid_shape": (60, 60, 4)},
        {"grid_max": (40.0, 40.0, 4.0)},
        {"grid_max": (40.8, 40.8, 5.4)},
        {"grid_min": (-39.9, -40.0, -1.0)},
    ],
)
def test_a_grid_that_occ3ds_labels_dont_divide_into_is_refused(change: dict[str, tuple[float, ...]]) -> None:
    assert block_size(SPEC) == 4
    with pytest.raises(ValueError, match=r"Occ3D's labels \(200, 200, 16\).* don't divide into the model's grid"):
        block_size(replace(SPEC, **change))


def test_a_grid_covers_a_part_of_occ3ds_voxels() -> None:
    part = replace(SPEC, grid_min=(-19.2, -8.0, -1.0), grid_max=(19.2, 0.0, 5.4), grid_shape=(48, 10, 8))
    factor, covered = covered_blocks(part)
    assert factor == 2
    assert covered == (slice(52, 148), slice(80, 100), slice(0, 16))
    with pytest.raises(ValueError, match=r"figures on Occ3D's range need a grid over .*; the model's covers \(-19"):
        block_size(part)


def test_labels_of_a_part_are_those_of_its_place(tmp_path: Path) -> None:
    path = tmp_path / "labels.npz"
    semantics = whole(FREE)
    # At x = -19.0, y = -0.2, z = 5.2 m.
    semantics[52, 99, 15] = 4
    np.savez_compressed(path, semantics=semantics, mask_camera=whole(1))
    part = replace(SPEC, grid_min=(-19.2, -8.0, -1.0), grid_max=(19.2, 0.0, 5.4), grid_shape=(48, 10, 8))
    assert np.argwhere(load_labels(path, part) == 4).tolist() == [[0, 9, 7]]


def whole(value: int) -> np.ndarray:
    return np.full((200, 200, 16), value, np.uint8)


def test_labels_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "labels.npz"
    np.savez_compressed(path, semantics=whole(11), mask_camera=whole(1).astype(bool))
    assert load_labels(path, SPEC).tolist() == np.full(SPEC.grid_shape, 11).tolist()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"semantics": whole(17)}, "expected an .npz with semantics and mask_camera; .*mask_camera"),
        ({"semantics": whole(17)[:100], "mask_camera": whole(1)}, r"semantics: expected uint8 .*; found uint8 \(100,"),
        (
            {"semantics": whole(17), "mask_camera": whole(1)[..., 0]},
            r"mask_camera: expected .*; found uint8 \(200, 200\)",
        ),
        ({"semantics": whole(17).astype(np.float32), "mask_camera": whole(1)}, "semantics: expected uint8 .*float32"),
        # 255 is what training calls unseen: it must not come from a file.
        ({"semantics": whole(255), "mask_camera": whole(1)}, "classes go from 0 to 17; found 255"),
    ],
)
def test_labels_that_are_not_occ3ds_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    path = tmp_path / "labels.npz"
    np.savez_compressed(path, **arrays)
    with pytest.raises(ValueError, match=rf"labels\.npz: {message}"):
        load_occ3d(path)


@pytest.mark.parametrize("length", [0, 100, 5000])
def test_labels_that_are_cut_off_are_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "labels.npz"
    noise = np.random.default_rng(0).integers(0, 17, (200, 200, 16), dtype=np.uint8)
    np.savez_compressed(path, semantics=noise, mask_camera=whole(1))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"labels\.npz: expected an \.npz .*damaged"):
        load_occ3d(path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"labels\.npz"):
        load_occ3d(path)


def test_class_weights_follow_the_frequencies_of_visible_voxels() -> None:
    labels = np.array([FREE] * 80 + [11] * 5 + [UNSEEN] * 100, np.uint8)
    frequencies = class_frequencies([labels, labels])
    assert frequencies[FREE] == pytest.approx(80 / 85)
    weights = class_weights(frequencies, exponent=0.25, limit=15)
    assert weights[FREE] == 1
    assert weights[11] == pytest.approx(2)  # (80 / 5)^0.25
    assert weights[0] == 15  # never occurs
