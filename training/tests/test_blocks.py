import pytest
import torch
import torch.nn.functional as F

from bdc_training.blocks import ChannelIncrease, ChannelReduction, DownSample, ResidualBlock, UpSample
from bdc_training.config_sections import UnitConfig
from bdc_training.units import BDCUnit

UNIT = UnitConfig()


def make(kind, channels):
    torch.manual_seed(0)
    return kind(channels, UNIT).eval()


def random_input(channels=8):
    return torch.randn(2, channels, 6, 4, generator=torch.Generator().manual_seed(1))


def channels_last_halves(x):
    return [half.contiguous(memory_format=torch.channels_last) for half in (x[:, :4], x[:, 4:])]


def test_down_sample_pools_then_doubles_the_channels_in_two_units():
    module, x = make(DownSample, 8), random_input()
    pooled = F.avg_pool2d(x, 2)
    assert torch.equal(module(x), torch.cat([unit(pooled) for unit in module.units], 1))
    assert module(x).shape == (2, 16, 3, 2)


def test_up_sample_is_bilinear_then_one_unit_on_each_half():
    module, x = make(UpSample, 8), random_input()
    up = F.interpolate(x, size=(12, 8), mode="bilinear", align_corners=False)
    first, second = channels_last_halves(up)
    assert torch.equal(module(x), torch.cat([module.units[0](first), module.units[1](second)], 1))
    assert module(x).shape == (2, 8, 12, 8)


def test_channel_reduction_averages_one_unit_on_each_half():
    module, x = make(ChannelReduction, 8), random_input()
    first, second = channels_last_halves(x)
    assert torch.equal(module(x), (module.units[0](first) + module.units[1](second)) / 2)
    assert module(x).shape == (2, 4, 6, 4)


def test_channel_increase_concatenates_two_units():
    module, x = make(ChannelIncrease, 8), random_input()
    assert torch.equal(module(x), torch.cat([unit(x) for unit in module.units], 1))


@pytest.mark.parametrize(
    ("first", "kind", "shape"),
    [
        ("unit", BDCUnit, (2, 8, 6, 4)),
        ("stride 2", BDCUnit, (2, 16, 3, 2)),
        ("down-sample", DownSample, (2, 16, 3, 2)),
    ],
)
def test_a_residual_block_activates_the_sum_of_two_modules_and_a_shortcut(first, kind, shape):
    torch.manual_seed(0)
    block, x = ResidualBlock(8, UNIT, first).eval(), random_input()
    assert isinstance(block.first, kind)
    shortcut = x if first == "unit" else block.shortcut(x)
    assert torch.equal(block(x), block.activation(block.second(block.first(x)) + shortcut))
    assert block(x).shape == shape


@pytest.mark.parametrize("kind", [UpSample, ChannelReduction])
def test_halves_need_an_even_number_of_channels(kind):
    with pytest.raises(ValueError, match="even number"):
        kind(7, UNIT)
