"""The module kinds made from the BDC unit (arXiv 2405.17037, figure 4); `BDCUnit` itself is the base module."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .binary import RPReLU
from .config_sections import UnitConfig
from .graph_builder import GraphBuilder
from .units import build_unit


def _pair(channels_in: int, channels_out: int, config: UnitConfig) -> nn.ModuleList:
    return nn.ModuleList([build_unit(channels_in, channels_out, config) for _ in range(2)])


def _even(channels: int, kind: str) -> int:
    if channels % 2:
        raise ValueError(f"{kind} splits its channels in halves and needs an even number of them; found {channels}")
    return channels // 2


def _halves(x: Tensor) -> list[Tensor]:
    # Copies, with channels last: several steps read each half.
    return [half.contiguous(memory_format=torch.channels_last) for half in x.chunk(2, dim=1)]


class ChannelIncrease(nn.Module):
    """Two parallel units, concatenated: [N, C, H, W] → [N, 2C, H, W]."""

    def __init__(self, channels: int, config: UnitConfig) -> None:
        super().__init__()
        self.units = _pair(channels, channels, config)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([unit(x) for unit in self.units], dim=1)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        return graph.add("concat", name, [unit.emit(graph, f"{name}.{i}", x) for i, unit in enumerate(self.units)])


class DownSample(ChannelIncrease):
    """2×2 average pool, then two parallel units, concatenated: [N, C, H, W] → [N, 2C, H/2, W/2]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.avg_pool2d(x, 2))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        return super().emit(graph, name, graph.avg_pool2d(f"{name}.pool", x))


class UpSample(nn.Module):
    """Bilinear ×2, then one unit on each half of the channels, concatenated: [N, C, H, W] → [N, C, 2H, 2W]."""

    def __init__(self, channels: int, config: UnitConfig) -> None:
        super().__init__()
        self.half = _even(channels, "UpSample")
        self.units = _pair(self.half, self.half, config)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return torch.cat([unit(part) for unit, part in zip(self.units, _halves(x), strict=True)], dim=1)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        x = graph.add("upsample2d", f"{name}.up", [x], {"factor": 2, "mode": "bilinear"})
        halves = graph.split(f"{name}.halves", x, [self.half, self.half])
        outputs = [u.emit(graph, f"{name}.{i}", h) for i, (u, h) in enumerate(zip(self.units, halves, strict=True))]
        return graph.add("concat", name, outputs)


class ChannelReduction(nn.Module):
    """One unit on each half of the channels, averaged: [N, C, H, W] → [N, C/2, H, W]."""

    def __init__(self, channels: int, config: UnitConfig) -> None:
        super().__init__()
        self.half = _even(channels, "ChannelReduction")
        self.units = _pair(self.half, self.half, config)

    def forward(self, x: Tensor) -> Tensor:
        first, second = (unit(part) for unit, part in zip(self.units, _halves(x), strict=True))
        return (first + second) / 2

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        halves = graph.split(f"{name}.halves", x, [self.half, self.half])
        outputs = [u.emit(graph, f"{name}.{i}", h) for i, (u, h) in enumerate(zip(self.units, halves, strict=True))]
        return graph.add("average", name, outputs)


def reductions(channels: int, channels_out: int, config: UnitConfig) -> nn.Sequential:
    """Channel reductions, one behind the other, from `channels` to `channels_out`, which is that halved n times."""
    steps = []
    while channels > channels_out:
        steps.append(ChannelReduction(channels, config))
        channels //= 2
    if channels != channels_out:
        raise ValueError(f"expected {channels_out} channels to be a number of them halved; found {channels}")
    return nn.Sequential(*steps)


class UpStep(nn.Module):
    """Half the channels, twice the resolution, plus the skip: ([N, 2C, H, W], [N, C, 2H, 2W]) → [N, C, 2H, 2W]."""

    def __init__(self, channels: int, config: UnitConfig) -> None:
        super().__init__()
        self.reduce = ChannelReduction(2 * channels, config)
        self.up = UpSample(channels, config)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.up(self.reduce(x)) + skip

    def emit(self, graph: GraphBuilder, name: str, x: str, skip: str) -> str:
        x = self.up.emit(graph, f"{name}.up", self.reduce.emit(graph, f"{name}.reduce", x))
        return graph.add("add", name, [x, skip])


class ResidualBlock(nn.Module):
    """RPReLU(unit(first(x)) + shortcut(x)), the published BEV encoder's block.

    | first | in → out |
    | --- | --- |
    | `unit` | [N, C, H, W] → the same; the shortcut is x itself |
    | `projected` | → the same; first and shortcut are units (the pre-process net) |
    | `stride 2` | → [N, C_out, H/2, W/2]; first and shortcut are units of stride 2 (its stage 1) |
    | `down-sample` | → [N, 2C, H/2, W/2]; first and shortcut are down-sample modules (its stages 2 and 3) |
    """

    def __init__(
        self,
        channels: int,
        config: UnitConfig,
        first: Literal["unit", "projected", "stride 2", "down-sample"],
        shortcut: UnitConfig | None = None,
        channels_out: int | None = None,
    ) -> None:
        """`shortcut` is the configuration of the shortcut's units where it isn't that of the others; `channels_out`, of
        a block of stride 2, is 2·C by default."""
        super().__init__()
        keeps_size = first in ("unit", "projected")
        channels_out = channels if keeps_size else channels_out or 2 * channels

        def start(unit: UnitConfig) -> nn.Module:
            if first == "down-sample":
                return DownSample(channels, unit)
            return build_unit(channels, channels_out, unit, stride=1 if keeps_size else 2)

        self.first = start(config)
        self.second = build_unit(channels_out, channels_out, config)
        self.shortcut = None if first == "unit" else start(shortcut or config)
        self.activation = RPReLU(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(self.first(x))
        return self.activation(y + (x if self.shortcut is None else self.shortcut(x)))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        y = self.second.emit(graph, f"{name}.second", self.first.emit(graph, f"{name}.first", x))
        shortcut = x if self.shortcut is None else self.shortcut.emit(graph, f"{name}.shortcut", x)
        return self.activation.emit(graph, f"{name}.activation", graph.add("add", f"{name}.sum", [y, shortcut]))
