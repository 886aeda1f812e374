import numpy as np
import pytest
import torch

from bdc_training.binary import sign
from bdc_training.thresholds import sign_thresholds

MAX = np.finfo(np.float32).max
TINY = np.float32(1e-45)
NORMAL = np.finfo(np.float32).tiny
ADVERSARIAL = np.array([0, TINY, NORMAL, 1e-30, 1e-7, 0.1, 1 / 3, 1, 1.5, 7.7, 16777216, 1e30, MAX], dtype=np.float32)
ADVERSARIAL = np.concatenate([-ADVERSARIAL[::-1], ADVERSARIAL])


def signed(x, k, b):
    """What the layer computes: two roundings, as PyTorch's."""
    return sign(torch.from_numpy(k) * torch.from_numpy(x) + torch.from_numpy(b)).numpy() > 0


def compared(x, threshold, direction):
    return np.where(direction > 0, x >= threshold, x <= threshold)


def neighbours(values):
    """Each value and the two floats beside it, finite ones."""
    with np.errstate(over="ignore"):
        around = np.concatenate([values, np.nextafter(values, np.inf), np.nextafter(values, -np.inf)])
    return around[np.isfinite(around)].astype(np.float32)


@pytest.mark.parametrize("k", ADVERSARIAL)
def test_comparison_equals_the_sign_for_hostile_scales_biases_and_inputs(k):
    scale = np.full(len(ADVERSARIAL), k, dtype=np.float32)
    threshold, direction = sign_thresholds(torch.from_numpy(scale), torch.from_numpy(ADVERSARIAL))
    for b, t, d in zip(ADVERSARIAL, threshold, direction, strict=True):
        centre = np.array([t], dtype=np.float32)
        x = np.concatenate([ADVERSARIAL, neighbours(ADVERSARIAL), neighbours(neighbours(neighbours(centre)))])
        shape = np.ones_like(x)
        assert np.array_equal(compared(x, t, d), signed(x, shape * k, shape * b)), (k, b, t, d)


def test_comparison_equals_the_sign_for_random_channels_beside_the_threshold():
    random = np.random.default_rng(0)
    k = (random.standard_normal(2000) * 10.0 ** random.integers(-20, 20, 2000)).astype(np.float32)
    b = (random.standard_normal(2000) * 10.0 ** random.integers(-20, 20, 2000)).astype(np.float32)
    threshold, direction = sign_thresholds(torch.from_numpy(k), torch.from_numpy(b))
    assert np.isfinite(threshold).sum() > 1500
    for steps in range(-3, 4):
        x = threshold.copy()
        for _ in range(abs(steps)):
            x = np.nextafter(x, np.float32(np.inf if steps > 0 else -np.inf))
        finite = np.isfinite(x)
        expected = signed(x, k, b)
        assert np.array_equal(compared(x, threshold, direction)[finite], expected[finite]), steps


def test_a_zero_scale_makes_a_constant_channel():
    threshold, direction = sign_thresholds(torch.zeros(4), torch.tensor([1.0, 0.0, -0.0, -1e-45]))
    assert threshold.tolist() == [-np.inf, -np.inf, -np.inf, np.inf]
    assert direction.tolist() == [1, 1, 1, 1]


def test_a_negative_scale_turns_the_direction():
    threshold, direction = sign_thresholds(torch.tensor([2.0, -2.0]), torch.tensor([1.0, 1.0]))
    assert direction.tolist() == [1, -1]
    assert threshold == pytest.approx([-0.5, 0.5])


def test_no_threshold_is_made_of_scales_that_are_not_finite():
    with pytest.raises(ValueError, match="diverged"):
        sign_thresholds(torch.tensor([float("nan")]), torch.zeros(1))
