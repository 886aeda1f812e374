"""Down-sampling of labels and class weights."""

from pathlib import Path

import numpy as np
import pytest
from tiny_dataset import SPEC

from bdc_training.classes import FREE
from bdc_training.occupancy_labels import class_frequencies, class_weights, down_sample, load_labels
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


def test_labels_that_dont_divide_into_the_grid_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.npz"
    cube = np.zeros((60, 60, 4), np.uint8)
    np.savez(path, semantics=cube, mask_camera=cube)
    with pytest.raises(ValueError, match=r"labels \(60, 60, 4\).* don't divide into the model's grid \(50, 50, 4\)"):
        load_labels(path, SPEC)


def test_class_weights_follow_the_frequencies_of_visible_voxels() -> None:
    labels = np.array([FREE] * 80 + [11] * 5 + [UNSEEN] * 100, np.uint8)
    frequencies = class_frequencies([labels, labels])
    assert frequencies[FREE] == pytest.approx(80 / 85)
    weights = class_weights(frequencies, exponent=0.25, limit=15)
    assert weights[FREE] == 1
    assert weights[11] == pytest.approx(2)  # (80 / 5)^0.25
    assert weights[0] == 15  # never occurs
