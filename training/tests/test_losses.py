"""Each loss against its definition."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bdc_training.batches import Batch
from bdc_training.losses import box_loss, depth_loss, heatmap_loss, occupancy_loss, soft_iou_loss
from bdc_training.sample_spec import UNSEEN


def test_occupancy_loss_reads_channel_z_times_k_plus_class_and_skips_unseen_voxels() -> None:
    torch.manual_seed(0)
    nz, classes, ny, nx = 2, 3, 2, 2
    logits = torch.randn(1, nz * classes, ny, nx)
    labels = torch.full((1, nz, ny, nx), UNSEEN)
    labels[0, 1, 0, 1] = 2
    labels[0, 0, 1, 1] = 1
    weights = torch.tensor([1.0, 2.0, 5.0])
    first = -F.log_softmax(logits[0, 3:6, 0, 1], 0)[2]
    second = -F.log_softmax(logits[0, 0:3, 1, 1], 0)[1]
    assert occupancy_loss(logits, labels, weights).item() == pytest.approx(((5 * first + 2 * second) / 7).item())


def test_soft_iou_loss_is_the_mean_over_samples_and_their_occupied_classes() -> None:
    # One height, classes a, b, free; certain predictions make the soft IoU the IoU.
    labels = torch.tensor([[[[0, 0, 1, 2]]], [[[2, 2, 0, UNSEEN]]]])
    predicted = torch.tensor([[[[0, 1, 1, 0]]], [[[2, 2, 0, 1]]]])
    logits = 50.0 * F.one_hot(predicted, 3).permute(0, 1, 4, 2, 3).reshape(2, 3, 1, 4)
    # First sample: a 1 of 3, b 1 of 2. Second: a 1 of 1, no b.
    assert soft_iou_loss(logits, labels).item() == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    nothing = torch.full_like(labels, 2)
    assert soft_iou_loss(logits, nothing).item() == 0


def test_soft_iou_loss_of_undecided_probabilities() -> None:
    # p = ½ of a and free on a voxel of a and one of free: Σ p·y = ½, Σ p + Σ y − ½ = 1 + 1 − ½.
    loss = soft_iou_loss(torch.zeros(1, 2, 1, 2, requires_grad=True), torch.tensor([[[[0, 1]]]]))
    assert loss.item() == pytest.approx(2 / 3)
    loss.backward()


def test_depth_loss_averages_over_the_cells_with_returns() -> None:
    logits = torch.randn(1, 1, 4, 1, 2)
    targets = torch.zeros_like(logits)
    targets[0, 0, :, 0, 1] = torch.tensor([0.0, 0.25, 0.75, 0.0])
    log_p = F.log_softmax(logits[0, 0, :, 0, 1], 0)
    assert depth_loss(logits, targets).item() == pytest.approx(-(0.25 * log_p[1] + 0.75 * log_p[2]).item(), rel=1e-5)
    assert depth_loss(logits, torch.zeros_like(targets)).item() == 0


def test_heatmap_loss_of_a_case_worked_out_by_hand() -> None:
    logits = torch.zeros(1, 1, 1, 2)
    targets = torch.tensor([[[[1.0, 0.5]]]])
    # p = 0.5 in both: (1 − p)² ln p at the centre, (1 − 0.5)⁴ p² ln(1 − p) beside it.
    expected = 0.25 * np.log(2) + 0.5**4 * 0.25 * np.log(2)
    assert heatmap_loss(logits, targets).item() == pytest.approx(expected)


def detection_batch(codes: torch.Tensor, samples: list[int], cells: list[int]) -> Batch:
    empty = torch.zeros(0)
    return Batch(
        images=empty, camera_mask=empty, rays=empty, origins=empty, parameters=empty, previous=None, labels=empty,
        depth=empty, heatmap=empty,
        object_samples=torch.tensor(samples, dtype=torch.long),
        object_cells=torch.tensor(cells, dtype=torch.long),
        object_codes=codes,
    )  # fmt: skip


def test_box_loss_looks_at_the_objects_cells_and_leaves_unknown_velocities_out() -> None:
    sizes = {"reg": 2, "height": 1, "dim": 3, "rot": 2, "vel": 2}
    outputs = {name: torch.zeros(2, size, 3, 4, requires_grad=True) for name, size in sizes.items()}
    codes = torch.zeros(2, 10)
    codes[0, 2] = -3.0  # height
    codes[0, 8] = 5.0  # vx
    codes[1, 8:] = torch.nan
    loss = box_loss(outputs, detection_batch(codes, [1, 0], [6, 0]), velocity_weight=0.2)
    assert loss.item() == pytest.approx((3 + 0.2 * 5) / 2)
    loss.backward()
    gradient = outputs["height"].grad
    assert gradient is not None and gradient[1, 0, 1, 2] == 0.5 and gradient.abs().sum() == 0.5
    velocity_gradient = outputs["vel"].grad
    assert velocity_gradient is not None and not velocity_gradient[0].any() and velocity_gradient.isfinite().all()


def test_box_loss_without_objects_is_zero() -> None:
    sizes = {"reg": 2, "height": 1, "dim": 3, "rot": 2, "vel": 2}
    outputs = {name: torch.ones(1, size, 3, 4) for name, size in sizes.items()}
    assert box_loss(outputs, detection_batch(torch.zeros(0, 10), [], []), 0.2).item() == 0
