"""Convolutions in mixed precision against PyTorch's in float32 of the same numbers."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bdc_training.convolution import Conv2d, conv2d

# Channels in and out, kernel size, stride, padding.
WINDOWS = [(5, 7, 3, 1, 1), (3, 16, 3, 2, 1), (64, 64, 1, 1, 0), (33, 9, 1, 1, 0), (8, 8, 1, 2, 0), (32, 1, 3, 1, 1)]


def rounded(*shape: int) -> Tensor:
    return torch.randn(shape).bfloat16().float().contiguous(memory_format=torch.channels_last).requires_grad_()


def near(found: Tensor, expected: Tensor) -> bool:
    """To a rounding to bfloat16's eight bits of the largest value."""
    return bool((found.float() - expected).abs().max() <= 2**-8 * expected.abs().max())


@pytest.mark.parametrize(("channels_in", "channels_out", "kernel", "stride", "padding"), WINDOWS)
def test_under_autocast_values_and_gradients_are_those_of_float32_rounded(
    channels_in: int, channels_out: int, kernel: int, stride: int, padding: int
) -> None:
    torch.manual_seed(0)
    inputs = [rounded(2, channels_in, 12, 10), rounded(channels_out, channels_in, kernel, kernel)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = conv2d(*inputs, stride, padding)
    expected = F.conv2d(*inputs, None, stride, padding)
    assert y.dtype == torch.bfloat16 and near(y, expected)
    upstream = rounded(*expected.shape).detach()
    gradients = torch.autograd.grad(y, inputs, upstream.bfloat16())
    for gradient, exact in zip(gradients, torch.autograd.grad(expected, inputs, upstream), strict=True):
        assert gradient.dtype == torch.float32 and near(gradient, exact)


def test_a_layer_gives_float32_with_its_bias() -> None:
    torch.manual_seed(0)
    layer = Conv2d(6, 4, 3, padding=1).to(memory_format=torch.channels_last)
    with torch.no_grad():
        layer.weight.copy_(rounded(*layer.weight.shape))
    x = rounded(2, 6, 5, 5)
    expected = torch.nn.Conv2d.forward(layer, x)
    assert torch.equal(layer(x), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.float32 and near(y, expected)


def test_groups_and_dilation_are_pytorchs() -> None:
    torch.manual_seed(0)
    x = rounded(1, 4, 9, 9)
    for layer in (Conv2d(4, 4, 3, padding=1, groups=2), Conv2d(4, 4, 3, padding=2, dilation=2)):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = layer(x)
        assert near(y, torch.nn.Conv2d.forward(layer, x))
