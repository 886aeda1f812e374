"""mIoU against a case worked out by hand."""

import numpy as np
import pytest

from bdc_training.classes import FREE
from bdc_training.metrics import MajorityPrior, OccupancyMetric
from bdc_training.sample_spec import UNSEEN

CAR, ROAD, BUS = 4, 11, 3


def test_mean_iou_of_a_case_worked_out_by_hand() -> None:
    metric = OccupancyMetric()
    # car: 1 hit, 1 called free; road: 2 hits, 1 called car; free: 1 hit, 1 called bus; the unseen voxel doesn't count.
    metric.add(
        np.array([CAR, CAR, ROAD, ROAD, ROAD, FREE, FREE, UNSEEN], np.uint8),
        np.array([CAR, FREE, ROAD, ROAD, CAR, FREE, BUS, CAR]),
    )
    iou = metric.class_iou()
    assert iou[CAR] == pytest.approx(1 / 3)  # 1 hit, 1 missed, 1 road called car
    assert iou[ROAD] == pytest.approx(2 / 3)
    assert iou[BUS] == 0  # predicted but never there
    assert np.isnan(iou[0])
    assert metric.mean_iou() == pytest.approx((1 / 3 + 2 / 3 + 0) / 3)
    # Occupied: 4 of 5 found, 1 invented.
    assert metric.occupied_iou() == pytest.approx(4 / 6)


def test_samples_share_one_confusion_matrix() -> None:
    metric = OccupancyMetric()
    metric.add(np.array([CAR] * 9 + [FREE]), np.array([CAR] * 9 + [FREE]))
    metric.add(np.array([CAR]), np.array([FREE]))
    assert metric.class_iou()[CAR] == pytest.approx(0.9)


def test_the_prior_is_each_voxels_most_frequent_class() -> None:
    prior = MajorityPrior((1, 1, 3))
    for labels in ([CAR, FREE, UNSEEN], [CAR, ROAD, UNSEEN], [FREE, UNSEEN, ROAD]):
        prior.add(np.array(labels, np.uint8).reshape(1, 1, 3))
    assert prior.prediction().ravel().tolist() == [CAR, ROAD, ROAD]
