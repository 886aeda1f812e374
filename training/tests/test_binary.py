import pytest
import torch
import torch.nn.functional as F

from bdc_training.binary import BinaryConv2d, BinaryConvBlock, RPReLU, SignActivation, sign


def explicit_convolution(x, weight, stride, padding):
    """Cross-correlation by loops in float64; taps outside the image are left out."""
    batch, _, height, width = x.shape
    out_channels, _, kh, kw = weight.shape
    rows, columns = (height + 2 * padding - kh) // stride + 1, (width + 2 * padding - kw) // stride + 1
    y = torch.zeros(batch, out_channels, rows, columns, dtype=torch.float64)
    for i in range(rows):
        for j in range(columns):
            for u in range(kh):
                for v in range(kw):
                    r, c = i * stride + u - padding, j * stride + v - padding
                    if 0 <= r < height and 0 <= c < width:
                        y[:, :, i, j] += x[:, :, r, c].double() @ weight[:, :, u, v].double().T
    return y


def test_sign_of_both_zeros_is_plus_one_and_of_nan_minus_one():
    x = torch.tensor([0.0, -0.0, 1e-45, -1e-45, float("inf"), -float("inf"), float("nan")])
    assert sign(x).tolist() == [1, 1, 1, -1, 1, -1, -1]


def test_sign_activation_signs_k_x_plus_b_per_channel():
    layer = SignActivation(3)
    layer.scale.data = torch.tensor([2.0, -1.0, 0.0])
    layer.bias.data = torch.tensor([-1.0, 0.0, -0.5])
    x = torch.tensor([0.4, 0.5, 0.6]).view(1, 1, 1, 3).expand(1, 3, 1, 3)
    assert layer(x)[0, :, 0].tolist() == [[-1, 1, 1], [-1, -1, -1], [-1, -1, -1]]


def test_gradients_of_sign_activation_are_those_of_tanh_beta_times_its_argument():
    torch.manual_seed(0)
    layer = SignActivation(4).double()
    for parameter in layer.parameters():
        parameter.data += torch.randn_like(parameter) * 0.5
    x = torch.randn(2, 4, 3, 5, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(2, 4, 3, 5, dtype=torch.float64)
    k, b = layer.scale.view(1, -1, 1, 1), layer.bias.view(1, -1, 1, 1)
    variables = [x, layer.scale, layer.bias, layer.beta]
    expected = torch.autograd.grad((torch.tanh(layer.beta * (k * x + b)) * upstream).sum(), variables)
    found = torch.autograd.grad((layer(x) * upstream).sum(), variables)
    for name, a, e in zip(("x", "k", "b", "beta"), found, expected, strict=True):
        assert torch.allclose(a, e, rtol=1e-9, atol=1e-12), name


def test_gradient_of_tanh_stand_in_agrees_with_finite_differences():
    layer = SignActivation(1).double()
    layer.scale.data.fill_(1.3)
    layer.bias.data.fill_(-0.2)
    layer.beta.data.fill_(0.8)
    x = torch.tensor([[[[-2.0, -0.1, 0.15, 0.9]]]], dtype=torch.float64, requires_grad=True)
    layer(x).sum().backward()
    step = 1e-6
    numeric = (torch.tanh(0.8 * (1.3 * (x + step) - 0.2)) - torch.tanh(0.8 * (1.3 * (x - step) - 0.2))) / (2 * step)
    assert torch.allclose(x.grad, numeric, rtol=1e-6)


def test_weights_are_their_signs_times_the_mean_magnitude_of_the_output_channel():
    conv = BinaryConv2d(2, 2, 1)
    conv.weight.data = torch.tensor([[1.0, -3.0], [0.0, 0.5]]).view(2, 2, 1, 1)
    y = conv(torch.tensor([10.0, 1.0]).view(1, 2, 1, 1))
    assert y.flatten().tolist() == [2 * (10 - 1), 0.25 * (10 + 1)]


def test_weight_gradient_passes_where_the_weight_is_within_one_with_the_scale_held_constant():
    torch.manual_seed(1)
    conv = BinaryConv2d(3, 4, 3).double()
    conv.weight.data = torch.randn_like(conv.weight) * 0.9
    conv.weight.data[0, 0] = torch.tensor([[0.999, -0.999, 1.5], [-1.5, 0.5, -0.5], [0.0, 2.0, 0.1]])
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(2, 4, 5, 4, dtype=torch.float64)
    conv(x).mul(upstream).sum().backward()
    # The convolution is linear in its weights, so the gradient doesn't depend on their values: only clamp and s do.
    stand_in = conv.weight.detach().clone().requires_grad_()
    scale = conv.weight.detach().abs().mean((1, 2, 3)).view(-1, 1, 1, 1)
    F.conv2d(x.detach(), scale * stand_in.clamp(-1, 1), padding=1).mul(upstream).sum().backward()
    assert torch.allclose(conv.weight.grad, stand_in.grad)
    assert (conv.weight.grad[conv.weight.abs() > 1] == 0).all() and (
        conv.weight.grad[conv.weight.abs() <= 1] != 0
    ).all()
    # And the gradient in x goes through the binary weights.
    y = x.detach().clone().requires_grad_()
    F.conv2d(y, scale * sign(conv.weight.detach()), padding=1).mul(upstream).sum().backward()
    assert torch.allclose(x.grad, y.grad)


@pytest.mark.parametrize("shape", [(1, 5, 6, 7), (2, 3, 1, 9), (1, 4, 8, 1), (1, 65, 1, 1)])
@pytest.mark.parametrize("stride", [1, 2])
def test_taps_outside_the_image_contribute_nothing(shape, stride):
    torch.manual_seed(2)
    conv = BinaryConv2d(shape[1], 6, 3, stride)
    bits = sign(torch.randn(shape))
    expected = explicit_convolution(bits, sign(conv.weight.detach()), stride, 1)
    y = conv(bits).detach()
    assert torch.equal(torch.round(y / conv.scale.view(1, -1, 1, 1)).double(), expected)
    assert torch.allclose(y.double(), expected * conv.scale.double().view(1, -1, 1, 1), rtol=1e-6)


@pytest.mark.parametrize("kernel", [1, 3])
def test_binary_weights_take_real_input(kernel):
    torch.manual_seed(3)
    conv = BinaryConv2d(7, 5, kernel)
    x = torch.randn(2, 7, 4, 6)
    expected = explicit_convolution(x, sign(conv.weight.detach()) * conv.scale.view(-1, 1, 1, 1), 1, kernel // 2)
    assert torch.allclose(conv(x).double(), expected, atol=1e-5)


def test_rprelu_is_prelu_of_the_shifted_input_shifted():
    layer = RPReLU(2)
    layer.bias_in.data = torch.tensor([1.0, -1.0])
    layer.slope.data = torch.tensor([0.5, -2.0])
    layer.bias_out.data = torch.tensor([10.0, 20.0])
    x = torch.tensor([[-3.0, 2.0], [0.0, 3.0]]).view(1, 2, 1, 2)
    assert layer(x).flatten().tolist() == [-1 + 10, 3 + 10, 2 + 20, 2 + 20]


def test_rprelu_gradients_agree_with_finite_differences():
    torch.manual_seed(4)
    layer = RPReLU(3).double()
    layer.bias_in.data.normal_()
    x = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (x, *layer.parameters()))


def test_a_block_applies_sign_convolution_norm_and_activation_in_this_order():
    torch.manual_seed(5)
    block = BinaryConvBlock(4, 6, 3).eval()
    block.norm.running_mean.normal_()
    block.norm.weight.data.uniform_(0.5, 1.5)
    block.activation.bias_in.data.normal_()
    x = torch.randn(1, 4, 5, 5)
    assert torch.equal(block(x), block.activation(block.norm(block.conv(block.sign(x)))))
    bare = BinaryConvBlock(4, 6, 3, signed=False, batch_norm=False, activation=False)
    assert torch.equal(bare(x), bare.conv(x))
