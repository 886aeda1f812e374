"""Every custom gradient against central differences of the function it stands for, in double precision."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bdc_training.binary import Binarization, BinaryConv2d, RPReLU, SignActivation
from bdc_training.config_sections import GridConfig
from bdc_training.view_transformer import lift_splat


def check(function: Callable[..., Tensor], surrogate: Callable[..., Tensor], inputs: list[Tensor]) -> None:
    """gradcheck of a function whose values are the surrogate's and whose gradient is `function`'s own."""

    def combined(*arguments: Tensor) -> Tensor:
        found = function(*arguments)
        return surrogate(*arguments).detach() + found - found.detach()

    assert torch.autograd.gradcheck(combined, inputs)


def variables(*shapes: tuple[int, ...]) -> list[Tensor]:
    torch.manual_seed(0)
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


def with_parameters(layer: nn.Module, parameters: dict[str, Tensor], x: Tensor) -> Tensor:
    # PyTorch 2 has it in torch.func, and warns about its place in 1.13.
    call = torch.func.functional_call if hasattr(torch, "func") else torch.nn.utils.stateless.functional_call
    return call(layer, parameters, x)


def test_the_check_notices_a_wrong_gradient() -> None:
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        check(lambda x: 1.01 * torch.tanh(x), torch.tanh, variables((3,)))


def test_sign_activation_has_the_gradient_of_tanh() -> None:
    layer = SignActivation(3).double()
    x, scale, bias, beta = variables((2, 3, 4, 5), (3,), (3,), ())

    def function(x: Tensor, scale: Tensor, bias: Tensor, beta: Tensor) -> Tensor:
        return with_parameters(layer, {"scale": scale, "bias": bias, "beta": beta}, x)

    def surrogate(x: Tensor, scale: Tensor, bias: Tensor, beta: Tensor) -> Tensor:
        return torch.tanh(beta * (scale.view(1, -1, 1, 1) * x + bias.view(1, -1, 1, 1)))

    check(function, surrogate, [x, scale, bias, beta])


def quadratic(x: Tensor) -> Tensor:
    """Bi-Real Net's approximation of the sign."""
    return torch.where(x < 0, 2 * x + x.square(), 2 * x - x.square()).masked_fill(x < -1, -1).masked_fill(x > 1, 1)


@pytest.mark.parametrize(("gradient", "stand_in"), [("quadratic", quadratic), ("clamp", lambda x: x.clamp(-1, 1))])
def test_the_other_sign_activations_have_the_gradients_of_their_stand_ins(gradient, stand_in) -> None:
    layer = SignActivation(3, Binarization(gradient, scaled=False)).double()
    x, bias = variables((2, 3, 4, 5), (3,))
    check(
        lambda x, bias: with_parameters(layer, {"bias": bias}, x),
        lambda x, bias: stand_in(x + bias.view(1, -1, 1, 1)),
        [x, bias],
    )


@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 1), (3, 2), (1, 1)])
def test_binary_convolution_has_the_gradient_of_clamped_weights(kernel_size: int, stride: int) -> None:
    """Forward with signs, so the gradient of x is that of the signs and the gradient of W that of clamp(W, −1, 1)."""
    layer = BinaryConv2d(3, 4, kernel_size, stride).double()
    x, weight = variables((2, 3, 6, 6), (4, 3, kernel_size, kernel_size))
    scale = weight.detach().abs().mean((1, 2, 3)).view(1, -1, 1, 1)
    signs = torch.where(weight.detach() >= 0, 1.0, -1.0).double()

    def convolve(x: Tensor, weight: Tensor) -> Tensor:
        return scale * F.conv2d(x, weight, stride=stride, padding=kernel_size // 2)

    def of_input(x: Tensor) -> Tensor:
        return with_parameters(layer, {"weight": weight.detach()}, x)

    check(of_input, lambda x: convolve(x, signs), [x])

    def of_weight(weight: Tensor) -> Tensor:
        # The scale is a constant of the backward pass.
        return with_parameters(layer, {"weight": weight}, x.detach())

    check(of_weight, lambda weight: convolve(x.detach(), weight.clamp(-1, 1)), [weight])


def test_rprelu_has_its_own_gradient() -> None:
    layer = RPReLU(3).double()
    x, bias_in, slope, bias_out = variables((2, 3, 4, 5), (3,), (3,), (3,))

    def function(x: Tensor, bias_in: Tensor, slope: Tensor, bias_out: Tensor) -> Tensor:
        parameters = {"bias_in": bias_in, "slope": slope, "bias_out": bias_out}
        return with_parameters(layer, parameters, x)

    def definition(x: Tensor, bias_in: Tensor, slope: Tensor, bias_out: Tensor) -> Tensor:
        shifted = x + bias_in.view(1, -1, 1, 1)
        return torch.where(shifted > 0, shifted, slope.view(1, -1, 1, 1) * shifted) + bias_out.view(1, -1, 1, 1)

    check(function, definition, [x, bias_in, slope, bias_out])


def test_lift_splat_has_its_own_gradient() -> None:
    grid = GridConfig(min=(-4.0, -4.0, -1.0), max=(4.0, 4.0, 1.0), shape=(4, 4, 1))
    depth, context = variables((1, 2, 3, 2, 2), (1, 2, 4, 2, 2))
    rays = torch.randn(1, 2, 2, 2, 3)
    origins = torch.zeros(1, 2, 3)

    def function(depth: Tensor, context: Tensor) -> Tensor:
        return lift_splat(depth, context, rays, origins, None, [1.0, 2.0, 3.0], grid)

    assert function(depth, context).abs().sum() > 0
    assert torch.autograd.gradcheck(function, [depth, context])
