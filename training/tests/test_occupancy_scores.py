"""The figures that `bdc-occ evaluate` prints too, on cases worked out by hand, and the comparison with the engine."""

from pathlib import Path

import numpy as np
import pytest
from tiny_dataset import SPEC, street_labels

from bdc_training.classes import FREE
from bdc_training.engine_comparison import EngineComparison
from bdc_training.occupancy_labels import down_sample
from bdc_training.occupancy_scores import OccupancyScores, above_ground, ground_heights
from bdc_training.sample_spec import UNSEEN

CAR, ROAD = 4, 11


def columns(*columns: list[int]) -> np.ndarray:
    return np.array([columns], np.uint8)


def test_the_ground_is_the_top_of_the_lowest_run_of_flat_voxels_or_that_of_the_nearest_column() -> None:
    labels = columns([ROAD, ROAD, FREE, ROAD], [FREE, CAR, FREE, FREE], [FREE, FREE, FREE, ROAD])
    heights = ground_heights(labels, -0.2, 0.4)
    np.testing.assert_allclose(heights, [[0.4, 0.4, 1.2]])
    np.testing.assert_allclose(ground_heights(columns([CAR, CAR]), -0.2, 0.4), [[0.0]])


def test_above_the_ground_begins_at_the_voxel_whose_bottom_is_0_4_m_above_it() -> None:
    # Voxels of 1.6 m from −1 m on: −1, 0.6, 2.2, 3.8.
    heights = np.zeros((200, 200))
    heights[0, 0] = 0.4
    above = above_ground(heights, 4, SPEC)
    assert above[1, 1].tolist() == [False, True, True, True]
    assert above[0, 0].tolist() == [False, False, True, True]


def test_a_perfect_prediction_is_perfect_with_and_without_the_mask() -> None:
    semantics, visible = street_labels(0)
    scores = OccupancyScores(SPEC)
    truth = down_sample(semantics, np.ones_like(visible), 4)
    scores.add(semantics, visible, truth)
    report = scores.report()
    for figures in (report, report["all_voxels"]):
        assert figures["occupied_iou_above_ground"] == 1
        assert figures["iou_per_class"]["car"] == 1 and figures["iou_per_class"]["bus"] is None
        # The prior of a single sample is the sample.
        assert figures["prior"]["miou"] == 1
    assert report["miou"] == 1


def test_the_prior_above_the_ground_is_scored_with_all_samples() -> None:
    scores = OccupancyScores(SPEC)
    for sample in range(3):
        semantics, visible = street_labels(0)
        # The car is there twice of three times.
        if sample == 2:
            semantics[semantics == CAR] = FREE
        scores.add(semantics, visible, np.full(SPEC.grid_shape, FREE, np.uint8))
    prior = scores.report()["prior"]
    assert prior["iou_per_class"]["car"] == pytest.approx(2 / 3)
    assert prior["occupied_iou_above_ground"] == pytest.approx(2 / 3)
    assert scores.report()["occupied_iou_above_ground"] == 0


def test_the_engines_voxels_are_compared_on_the_models_grid(tmp_path: Path) -> None:
    predicted = np.full(SPEC.grid_shape, FREE, np.uint8)
    predicted[0, 0, :2] = CAR
    engine = predicted.copy()
    engine[0, 0, 1] = FREE
    np.savez_compressed(tmp_path / "token.npz", engine.repeat(4, 0).repeat(4, 1).repeat(4, 2))
    labels = np.full(SPEC.grid_shape, UNSEEN, np.uint8)
    labels[0, 0] = [CAR, CAR, FREE, FREE]
    comparison = EngineComparison(tmp_path)
    comparison.add("token", labels, predicted)
    agreement = comparison.agreement()
    assert agreement.equal_voxels == pytest.approx(1 - 1 / predicted.size)
    assert agreement.miou_difference == pytest.approx(-50)
    with pytest.raises(ValueError, match=r"other.npz: missing; write it with bdc-occ evaluate --write-occupancy"):
        comparison.add("other", labels, predicted)
