"""The fused operations against the plain ones in double precision: values, gradients, running statistics."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from bdc_training import fused
from bdc_training.binary import RPReLU, sign
from bdc_training.fused.compiled_library import library

pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler for the fused operations")
SHAPES = [(2, 3, 4, 5), (1, 8, 16, 16), (3, 33, 7, 1), (2, 64, 1, 1)]


def image(shape: Sequence[int], offset: float = 0.0) -> Tensor:
    return (torch.randn(*shape) + offset).contiguous(memory_format=torch.channels_last).requires_grad_()


def compare(
    found: Callable[..., Tensor], expected: Callable[..., Tensor], inputs: list[Tensor], tolerance: float
) -> None:
    """Values and gradients for a random upstream gradient; `expected` sees the inputs in double precision."""
    doubles = [x.detach().double().requires_grad_() for x in inputs]
    y, reference = found(*inputs), expected(*doubles)
    assert torch.allclose(y.double(), reference, rtol=tolerance, atol=tolerance)
    upstream = torch.randn(y.shape)
    gradients = torch.autograd.grad(y, inputs, upstream)
    references = torch.autograd.grad(reference, doubles, upstream.double())
    for i, (gradient, exact) in enumerate(zip(gradients, references, strict=True)):
        size = exact.abs().max().clamp(min=1)
        assert ((gradient.double() - exact).abs().max() / size) < tolerance, i


@pytest.mark.parametrize("shape", SHAPES)
def test_sign_activation_has_the_gradient_of_tanh(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    channels = shape[1]
    parameters = [torch.randn(channels, requires_grad=True), torch.randn(channels, requires_grad=True)]
    inputs = [image(shape), *parameters, torch.tensor(1.3, requires_grad=True)]

    def expected(x: Tensor, scale: Tensor, bias: Tensor, beta: Tensor) -> Tensor:
        argument = scale.view(1, -1, 1, 1) * x + bias.view(1, -1, 1, 1)
        soft = torch.tanh(beta * argument)
        return soft + (sign(argument) - soft).detach()

    compare(fused.sign_activation, expected, inputs, 1e-3)


@pytest.mark.parametrize("shape", SHAPES[:3])
@pytest.mark.parametrize("scaled", [True, False])
def test_norm_and_rprelu_are_the_layers(shape: tuple[int, ...], scaled: bool) -> None:
    torch.manual_seed(0)
    channels = shape[1]
    factor = torch.rand(channels) + 0.1 if scaled else None
    norms = [nn.BatchNorm2d(channels), nn.BatchNorm2d(channels).double()]
    activations = [RPReLU(channels), RPReLU(channels).double()]
    parameters = [torch.randn(channels, requires_grad=True) for _ in range(5)]

    def with_layers(which: int, x: Tensor, *values: Tensor) -> Tensor:
        norm, activation = norms[which], activations[which]
        for layer, names in ((norm, ("weight", "bias")), (activation, ("bias_in", "slope", "bias_out"))):
            for name in names:
                delattr(layer, name)
        norm.weight, norm.bias, activation.bias_in, activation.slope, activation.bias_out = values
        if which == 0:
            return fused.norm_rprelu(x, factor, norm, *values[2:])
        return activation(norm(x if factor is None else factor.double().view(1, -1, 1, 1) * x))

    found, expected = partial(with_layers, 0), partial(with_layers, 1)
    compare(found, expected, [image(shape, 3), *parameters], 1e-3)
    for name, statistic in norms[0].state_dict().items():
        if name.startswith("running"):
            assert torch.allclose(statistic.double(), norms[1].state_dict()[name], rtol=1e-4, atol=1e-5), name


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_norm_of_bfloat16_is_that_of_the_same_numbers_in_float32(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = image(shape, 3).detach().bfloat16()
    slope = torch.randn(shape[1])
    upstream = torch.randn(shape)
    found = []
    for values in (x.requires_grad_(), x.detach().float().requires_grad_()):
        y = fused.norm_prelu(values, nn.BatchNorm2d(shape[1]), slope)
        found.append((y, *torch.autograd.grad(y, values, upstream)))
    (y, dx), (expected_y, expected_dx) = found
    assert torch.equal(y, expected_y)
    # Rounded at the end, to nearest.
    assert torch.equal(dx, expected_dx.bfloat16())


def test_a_norm_that_is_not_in_training_takes_its_running_statistics() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(24).eval()
    for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
        tensor.data.uniform_(0.5, 2)
    factor, *parameters = (torch.randn(24) for _ in range(4))
    x = image((2, 24, 5, 7)).detach()
    activation = RPReLU(24)
    activation.bias_in.data, activation.slope.data, activation.bias_out.data = parameters
    with torch.no_grad():
        found = fused.norm_rprelu(x, factor, norm, *parameters)
        assert torch.allclose(found, activation(norm(x * factor.view(1, -1, 1, 1))), atol=1e-5)
    assert not fused.norms(norm)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not fused.norms(norm)
        with torch.no_grad():
            assert fused.norms(norm)


def test_signs_of_activations_are_bfloat16_under_autocast_and_their_gradient_is_the_same() -> None:
    torch.manual_seed(0)
    parameters = [torch.randn(24, requires_grad=True), torch.randn(24, requires_grad=True)]
    inputs = [image((2, 24, 5, 7)), *parameters, torch.tensor(1.3, requires_grad=True)]
    upstream = torch.randn(2, 24, 5, 7).bfloat16()
    expected = fused.sign_activation(*inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = fused.sign_activation(*inputs)
    assert found.dtype == torch.bfloat16 and torch.equal(found.float(), expected)
    gradients = torch.autograd.grad(found, inputs, upstream)
    for gradient, exact in zip(gradients, torch.autograd.grad(expected, inputs, upstream.float()), strict=True):
        # But for last bits: a compiler may fuse multiply-adds in one of the two loops and not in the other.
        torch.testing.assert_close(gradient, exact, rtol=1e-6, atol=1e-6)


def test_signs_of_weights_have_the_gradient_of_clamp() -> None:
    torch.manual_seed(0)
    weight = image((8, 5, 3, 3))
    with torch.no_grad():
        weight[0, 0, 0] = torch.tensor([0.0, 1.0, -1.0])
    compare(fused.weight_sign, lambda w: sign(w) + w.clamp(-1, 1) - w.clamp(-1, 1).detach(), [weight], 1e-6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = fused.weight_sign(weight)
    assert found.dtype == torch.bfloat16 and torch.equal(found.float(), sign(weight))


@pytest.mark.parametrize("shape", SHAPES)
def test_gate_and_residual_are_added_as_written(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    gate = torch.rand(*shape[:2], 1, 1, requires_grad=True)
    compare(fused.gate_add, lambda x, gate, residual: x * gate + residual, [image(shape), gate, image(shape)], 1e-5)


def test_a_value_that_is_not_finite_reaches_the_output() -> None:
    """Or a diverged network would go on training unnoticed."""
    x = image((1, 4, 3, 3))
    with torch.no_grad():
        x[0, 1, 1, 1] = float("nan")
    for values in (x, x.bfloat16()):
        assert not torch.isfinite(fused.norm_prelu(values, nn.BatchNorm2d(4), torch.ones(4))).all()
    assert not torch.isfinite(fused.gate_add(x, torch.ones(1, 4, 1, 1), image((1, 4, 3, 3)))).all()


def test_splat_is_the_sum_into_cells() -> None:
    torch.manual_seed(0)
    samples, pixels, bins, channels, area = 2, 7, 5, 24, 11
    cells = torch.randint(-3, area, (samples, pixels, bins), dtype=torch.int32)
    inputs = [torch.randn(samples, pixels, n, requires_grad=True) for n in (bins, channels)]

    def expected(depth: Tensor, context: Tensor) -> Tensor:
        taken = torch.nn.functional.one_hot(cells.long().clamp(min=0), area) * (cells >= 0).unsqueeze(-1)
        return torch.einsum("spd,spc,spda->sac", depth, context, taken.double())

    compare(partial(fused.splat, cells=cells, area=area), expected, inputs, 1e-5)
