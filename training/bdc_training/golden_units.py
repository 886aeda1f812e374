"""The modules that have a golden fixture: every version of the unit and every module kind, at awkward sizes."""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from .blocks import ChannelIncrease, ChannelReduction, DownSample, ResidualBlock, UpSample
from .config_sections import UnitConfig
from .units import BDCUnit, build_unit


class GoldenUnit(NamedTuple):
    module: Callable[[], nn.Module]
    shape: tuple[int, int, int, int]


REAL = UnitConfig()
SIGNED = UnitConfig(pointwise_input="sign")
WITHOUT_NORM = UnitConfig(batch_norm=False, pointwise_input="sign")
RESIDUAL_NORM = UnitConfig(residual_batch_norm=True)

GOLDEN_UNITS = {
    "v0": GoldenUnit(lambda: BDCUnit(24, 24, UnitConfig(version="V0")), (2, 24, 7, 5)),
    "v0-stride-2": GoldenUnit(lambda: BDCUnit(24, 48, UnitConfig(version="V0"), stride=2), (1, 24, 6, 8)),
    "v1-signed": GoldenUnit(lambda: BDCUnit(65, 65, UnitConfig(version="V1", pointwise_input="sign")), (1, 65, 5, 4)),
    "v1-real": GoldenUnit(lambda: BDCUnit(24, 48, UnitConfig(version="V1")), (1, 24, 5, 4)),
    "v2-signed": GoldenUnit(lambda: BDCUnit(20, 20, UnitConfig(version="V2", pointwise_input="sign")), (1, 20, 4, 9)),
    "v2-real": GoldenUnit(lambda: BDCUnit(20, 20, UnitConfig(version="V2", reduction=2)), (1, 20, 4, 9)),
    "v3-signed": GoldenUnit(lambda: BDCUnit(64, 64, SIGNED), (2, 64, 5, 6)),
    "v3-real": GoldenUnit(lambda: BDCUnit(63, 126, REAL), (2, 63, 3, 3)),
    "v3-stride-2": GoldenUnit(lambda: BDCUnit(32, 64, REAL, stride=2), (1, 32, 8, 6)),
    "v3-fewer-channels": GoldenUnit(lambda: BDCUnit(48, 16, RESIDUAL_NORM), (1, 48, 4, 4)),
    "v3-without-norm": GoldenUnit(lambda: BDCUnit(16, 16, WITHOUT_NORM), (1, 16, 5, 5)),
    "v3-inner-shortcuts": GoldenUnit(
        lambda: BDCUnit(24, 48, UnitConfig(inner_shortcuts=True, pointwise_input="sign"), stride=2), (1, 24, 6, 8)
    ),
    "v3-one-pixel": GoldenUnit(lambda: BDCUnit(24, 24, SIGNED), (1, 24, 1, 1)),
    "reactnet": GoldenUnit(lambda: build_unit(24, 24, UnitConfig(version="ReActNet")), (2, 24, 7, 5)),
    "reactnet-stride-2": GoldenUnit(
        lambda: build_unit(20, 40, UnitConfig(version="ReActNet", batch_norm=False), stride=2), (1, 20, 6, 4)
    ),
    "bbcu": GoldenUnit(lambda: build_unit(65, 65, UnitConfig(version="BBCU")), (1, 65, 4, 5)),
    "bbcu-stride-2": GoldenUnit(lambda: build_unit(24, 48, UnitConfig(version="BBCU"), stride=2), (1, 24, 6, 4)),
    "bimatting": GoldenUnit(
        lambda: build_unit(24, 24, UnitConfig(version="BiMatting", pointwise_input="published")), (2, 24, 5, 4)
    ),
    "bimatting-stride-2": GoldenUnit(
        lambda: build_unit(20, 40, UnitConfig(version="BiMatting", pointwise_input="sign"), stride=2), (1, 20, 6, 4)
    ),
    "bimatting-real": GoldenUnit(lambda: build_unit(48, 24, UnitConfig(version="BiMatting")), (1, 48, 4, 4)),
    "bisrnet": GoldenUnit(lambda: build_unit(24, 24, UnitConfig(version="BiSRNet")), (2, 24, 5, 6)),
    "bisrnet-stride-2": GoldenUnit(lambda: build_unit(24, 48, UnitConfig(version="BiSRNet"), stride=2), (1, 24, 6, 4)),
    "channel-reduction-reactnet": GoldenUnit(
        lambda: ChannelReduction(24, UnitConfig(version="ReActNet")), (1, 24, 5, 4)
    ),
    "up-sample-bimatting": GoldenUnit(
        lambda: UpSample(24, UnitConfig(version="BiMatting", pointwise_input="sign")), (1, 24, 3, 4)
    ),
    "down-sample": GoldenUnit(lambda: DownSample(12, REAL), (2, 12, 8, 6)),
    "up-sample": GoldenUnit(lambda: UpSample(24, SIGNED), (1, 24, 5, 3)),
    "channel-reduction": GoldenUnit(lambda: ChannelReduction(48, REAL), (1, 48, 5, 5)),
    "channel-increase": GoldenUnit(lambda: ChannelIncrease(24, SIGNED), (1, 24, 5, 5)),
    "residual-block": GoldenUnit(lambda: ResidualBlock(12, REAL, "unit"), (1, 12, 5, 4)),
    "residual-block-stride-2": GoldenUnit(lambda: ResidualBlock(12, REAL, "stride 2"), (1, 12, 6, 4)),
    "residual-block-down-sample": GoldenUnit(lambda: ResidualBlock(10, REAL, "down-sample"), (1, 10, 6, 4)),
}
