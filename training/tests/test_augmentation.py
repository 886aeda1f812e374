"""A training sample's random changes: what they touch, and that they are the seed's."""

from pathlib import Path

import numpy as np
import pytest
from tiny_dataset import SPEC, write_tiny_dataset

from bdc_training.augmentation import AugmentationConfig, augmented
from bdc_training.dataset import OccupancyDataset

NOTHING = dict(flip_x=0.0, flip_y=0.0, brightness=0.0, contrast=0.0, color=0.0)


@pytest.fixture()
def dataset(tmp_path: Path) -> OccupancyDataset:
    # Two samples: a single one has no velocities.
    write_tiny_dataset(tmp_path, samples=2)
    return OccupancyDataset(tmp_path, SPEC)


def test_photometric_jitter_stays_in_its_range_and_differs_between_cameras(dataset: OccupancyDataset) -> None:
    config = AugmentationConfig(**{**NOTHING, "brightness": 0.2})
    sample, jitter = augmented(dataset, 0, config, np.random.default_rng(1))
    for name, value in vars(dataset[0]).items():
        np.testing.assert_array_equal(getattr(sample, name), value, err_msg=name)
    gains = jitter[:, 0, 0]
    assert jitter.shape == (2, 3, 2) and not jitter[..., 1].any()
    assert (abs(gains - 1) <= 0.2).all() and gains[0] != gains[1]


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({"flip_x": 1.0}, {"images", "rays", "origins", "labels", "depth", "boxes", "parameters"}),
        ({"rotation": 20.0}, {"rays", "origins", "labels", "boxes", "parameters"}),
        ({"scale": 0.3}, {"rays", "origins", "labels", "boxes", "parameters"}),
        ({"image_zoom": 0.1}, {"images", "rays", "depth", "parameters"}),
        ({"image_rotation": 5.0}, {"images", "rays", "depth", "parameters"}),
    ],
)
def test_each_change_moves_what_it_should_and_repeats_with_its_seed(
    dataset: OccupancyDataset, change: dict[str, float], moved: set[str]
) -> None:
    config = AugmentationConfig(**{**NOTHING, **change})
    first, again = (augmented(dataset, 0, config, np.random.default_rng(3))[0] for _ in range(2))
    for name, value in vars(dataset[0]).items():
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name), err_msg=name)
        assert np.array_equal(getattr(first, name), value) == (name not in moved), name
