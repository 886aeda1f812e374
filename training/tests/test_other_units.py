"""ReActNet, BBCU, BiMatting and BiSRNet at the BDC unit's places."""

import pytest
import torch
import torch.nn.functional as F

from bdc_training.binary import BinaryConv2d, SignActivation
from bdc_training.blocks import ChannelIncrease, ChannelReduction, DownSample, ResidualBlock, UpSample
from bdc_training.config_sections import UnitConfig
from bdc_training.units import BDCUnit, build_unit

OTHERS = ["ReActNet", "BBCU", "BiMatting", "BiSRNet"]


def unit(version, channels_in=8, channels_out=8, stride=1, **options):
    torch.manual_seed(0)
    module = build_unit(channels_in, channels_out, UnitConfig(version=version, **options), stride).eval()
    for parameter in module.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return module


def random_input(channels=8):
    return torch.randn(2, channels, 6, 4, generator=torch.Generator().manual_seed(1))


def binary(x, conv, stride=1):
    """Convolution of sign(x) with s·sign(W), W centred if the layer says so."""
    weight = conv.weight - conv.weight.mean((1, 2, 3), keepdim=True) if conv.centred else conv.weight
    scale = weight.abs().mean((1, 2, 3), keepdim=True)
    signs = torch.where(x >= 0, 1.0, -1.0)
    return F.conv2d(signs, scale * torch.where(weight >= 0, 1.0, -1.0), stride=stride, padding=conv.padding)


def shifted(x, bias):
    return x + bias.view(1, -1, 1, 1)


@pytest.mark.parametrize("version", OTHERS)
@pytest.mark.parametrize(("channels_out", "stride"), [(8, 1), (16, 1), (8, 2), (16, 2), (4, 1)])
def test_every_unit_maps_channels_and_halves_the_size_at_stride_2(version, channels_out, stride):
    y = unit(version, 8, channels_out, stride)(random_input())
    assert y.shape == (2, channels_out, 6 // stride, 4 // stride)


@pytest.mark.parametrize("version", OTHERS)
@pytest.mark.parametrize("kind", [ChannelIncrease, ChannelReduction, DownSample, UpSample])
def test_module_kinds_are_made_of_any_unit(version, kind):
    module = kind(8, UnitConfig(version=version))
    assert not any(isinstance(m, BDCUnit) for m in module.modules()) or version == "BiSRNet"
    module(random_input())


@pytest.mark.parametrize("version", OTHERS)
def test_residual_blocks_are_made_of_any_unit(version):
    assert ResidualBlock(8, UnitConfig(version=version), "down-sample")(random_input()).shape == (2, 16, 3, 2)


def test_reactnet_activates_the_sum_with_its_residual():
    module, x = unit("ReActNet", 8, 16, 2), random_input()
    pooled = F.avg_pool2d(x, 2)
    y = module.spatial.norm(binary(shifted(x, module.spatial.sign.bias), module.spatial.conv, stride=2))
    assert torch.allclose(module(x), module.activation(y + torch.cat([pooled, pooled], 1)), atol=1e-5)
    assert unit("ReActNet", batch_norm=False).spatial.norm is None


def test_bbcu_has_its_activation_inside_the_residual_and_no_batch_norm():
    module, x = unit("BBCU"), random_input()
    y = binary(shifted(x, module.spatial.sign.bias), module.spatial.conv)
    assert torch.allclose(module(x), module.spatial.activation(y) + x, atol=1e-5)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in module.modules())


def test_bimatting_is_a_signed_3x3_and_a_signed_1x1_with_a_sum_behind_each():
    module, x = unit("BiMatting", 8, 4, pointwise_input="published"), random_input()
    y = module.spatial.norm(binary(shifted(x, module.spatial.sign.bias), module.spatial.conv))
    y = module.spatial_activation(y + x)
    z = module.pointwise.norm(binary(shifted(y, module.pointwise.sign.bias), module.pointwise.conv))
    expected = module.pointwise_activation(z + (y[:, :4] + y[:, 4:]) / 2)
    assert torch.allclose(module(x), expected, atol=1e-5)


def test_bimatting_takes_real_input_in_its_1x1_if_told_to():
    assert unit("BiMatting", pointwise_input="real").pointwise.sign is None
    assert unit("BiMatting", pointwise_input="published").pointwise.sign is not None
    # BDC's authors publish the opposite.
    assert unit("V3", pointwise_input="published").pointwise.sign is None


def test_bimatting_centres_its_weights_before_their_signs():
    conv = BinaryConv2d(2, 1, 1, centred=True)
    conv.weight.data = torch.tensor([1.0, 3.0]).view(1, 2, 1, 1)
    assert conv(torch.tensor([10.0, 1.0]).view(1, 2, 1, 1)).item() == 1.0 * (-10 + 1)


def test_bisrnet_is_v0_without_batch_norm():
    module = unit("BiSRNet")
    assert isinstance(module, BDCUnit) and module.version == "V0"
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in module.modules())


@pytest.mark.parametrize(
    ("version", "gradient", "scaled"),
    [("ReActNet", "quadratic", False), ("BBCU", "clamp", False), ("BiMatting", "clamp", False)],
)
def test_only_bdc_and_bisrnet_scale_what_they_sign(version, gradient, scaled):
    for sign in (m for m in unit(version, pointwise_input="sign").modules() if isinstance(m, SignActivation)):
        assert sign.gradient == gradient and (sign.scale is not None) == scaled and sign.beta is None


@pytest.mark.parametrize("version", OTHERS)
def test_gradients_reach_every_parameter(version):
    module = unit(version, pointwise_input="sign").train()
    module(random_input()).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())


@pytest.mark.parametrize("version", OTHERS)
def test_a_full_precision_twin_signs_nothing(version):
    module = unit(version, precision="full", pointwise_input="sign")
    assert not any(isinstance(m, (SignActivation, BinaryConv2d)) for m in module.modules())
    module(random_input())
