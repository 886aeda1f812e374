"""Each loss against its definition."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bdc_training.batches import Batch
from bdc_training.losses import box_loss, depth_loss, heatmap_loss, occupancy_loss
from bdc_training.sample_spec import UNSEEN
from bdc_training.soft_iou import RunningIou, iou_sums, soft_iou_loss


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
    assert soft_iou_loss(iou_sums(logits, labels)).item() == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    nothing = torch.full_like(labels, 2)
    assert soft_iou_loss(iou_sums(logits, nothing)).item() == 0


def test_soft_iou_loss_of_undecided_probabilities() -> None:
    # p = ½ of a and free on a voxel of a and one of free: Σ p·y = ½, Σ p + Σ y − ½ = 1 + 1 − ½.
    loss = soft_iou_loss(iou_sums(torch.zeros(1, 2, 1, 2, requires_grad=True), torch.tensor([[[[0, 1]]]])))
    assert loss.item() == pytest.approx(2 / 3)
    loss.backward()


def running_case(batches: int) -> list[tuple[Tensor, Tensor]]:
    """Logits and labels of batches of two samples, one height, 3 classes and free."""
    torch.manual_seed(0)
    return [
        (torch.randn(2, 4, 5, 6, dtype=torch.float64, requires_grad=True), torch.randint(4, (2, 1, 5, 6)))
        for _ in range(batches)
    ]


def test_running_iou_is_that_of_all_batches_as_one() -> None:
    cases = running_case(3)
    running = RunningIou(4, 0.999999, torch.device("cpu"))
    losses = [running.loss(iou_sums(logits, labels)).item() for logits, labels in cases]
    sums = [iou_sums(logits, labels) for logits, labels in cases]
    both, either = sum(s.both.sum(0) for s in sums), sum(s.either.sum(0) for s in sums)
    assert losses[-1] == pytest.approx((1 - both / either).mean().item(), rel=1e-4)


def test_running_iou_has_the_gradient_of_the_batches_before_and_this_one() -> None:
    (earlier, earlier_labels), (logits, labels) = running_case(2)
    running = RunningIou(4, 0.5, torch.device("cpu"))
    running.loss(iou_sums(earlier, earlier_labels))
    (found,) = torch.autograd.grad(running.loss(iou_sums(logits, labels)), logits)
    before, now = iou_sums(earlier.detach(), earlier_labels), iou_sums(logits, labels)
    # With halves of the first batch beside the second; a batch is two thirds of what the sums have of the second.
    both, either = (0.5 * a.sum(0) + b.sum(0) for a, b in ((before.both, now.both), (before.either, now.either)))
    (exact,) = torch.autograd.grad(1.5 * (1 - both / either).mean(), logits)
    assert torch.allclose(found, exact, rtol=1e-5, atol=1e-8)


def test_running_iou_counts_a_class_called_where_there_is_none() -> None:
    (first, _), (second, _) = running_case(2)
    running = RunningIou(4, 0.9, torch.device("cpu"))
    running.loss(iou_sums(first, torch.full((2, 1, 5, 6), 1)))
    (gradient,) = torch.autograd.grad(running.loss(iou_sums(second, torch.full((2, 1, 5, 6), 3))), second)
    assert (gradient[:, 1] > 0).all()


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
