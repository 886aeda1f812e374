"""The losses of occupancy as one pass over the voxels, against the plain ones in double precision."""

import pytest
import torch
from torch import Tensor

from bdc_training import fused
from bdc_training.distillation import _occupancy_loss
from bdc_training.fused.compiled_library import library
from bdc_training.losses import occupancy_loss, occupancy_losses
from bdc_training.sample_spec import UNSEEN
from bdc_training.soft_iou import iou_sums, soft_iou_loss

pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler for the fused operations")
SHAPE = (2, 3, 7, 11)
CLASSES = 18


class Labelled:
    def __init__(self, labels: Tensor) -> None:
        self.labels = labels


def case() -> tuple[Tensor, Tensor, Tensor]:
    """Logits, of which some are far apart, labels of a few classes and class weights."""
    torch.manual_seed(0)
    samples, heights, ny, nx = SHAPE
    logits = torch.randn(samples, heights * CLASSES, ny, nx) * torch.tensor([1.0, 40.0])[:, None, None, None]
    labels = torch.randint(0, CLASSES, SHAPE)
    labels[labels == 3] = CLASSES - 1
    labels[torch.rand(SHAPE) < 0.3] = UNSEEN
    return logits.contiguous(memory_format=torch.channels_last), labels, torch.rand(CLASSES) + 0.5


def near(found: Tensor, expected: Tensor) -> bool:
    return torch.allclose(found.double(), expected, rtol=1e-5, atol=1e-6 * float(expected.abs().max()))


def test_cross_entropy_and_soft_iou_are_those_of_the_plain_losses() -> None:
    logits, labels, weights = case()
    doubles, singles = logits.double().requires_grad_(), logits.clone().requires_grad_()
    expected = occupancy_loss(doubles, labels, weights.double()), soft_iou_loss(iou_sums(doubles, labels))
    assert fused.usable(singles)
    entropy, sums = occupancy_losses(singles, labels, weights)
    found = entropy, soft_iou_loss(sums)
    for one, exact in zip(found, expected, strict=True):
        assert near(one, exact)
    # Of both together and of the second alone.
    for factor in (1.0, 0.0):
        (gradient,) = torch.autograd.grad(found[0] * factor + 3 * found[1], singles, retain_graph=True)
        (exact,) = torch.autograd.grad(expected[0] * factor + 3 * expected[1], doubles, retain_graph=True)
        assert near(gradient, exact)


def test_a_teachers_cross_entropy_is_that_of_the_plain_loss() -> None:
    logits, labels, weights = case()
    taught = torch.randn_like(logits) * 3
    doubles, singles = logits.double().requires_grad_(), logits.clone().requires_grad_()
    expected = _occupancy_loss(doubles, taught.double(), Labelled(labels), weights.double())
    assert fused.usable(singles, taught)
    found = _occupancy_loss(singles, taught, Labelled(labels), weights)
    assert near(found, expected)
    gradients = torch.autograd.grad(2 * found, singles), torch.autograd.grad(2 * expected, doubles)
    assert near(gradients[0][0], gradients[1][0])


def test_a_logit_that_is_not_finite_reaches_the_loss() -> None:
    logits, labels, weights = case()
    labels[0, 0, 0, 0] = 1
    logits[0, 2, 0, 0] = float("nan")
    entropy, sums = occupancy_losses(logits, labels, weights)
    assert not torch.isfinite(entropy) and not torch.isfinite(soft_iou_loss(sums))
    assert not torch.isfinite(_occupancy_loss(logits, logits.clone(), Labelled(labels), weights))
