"""The module kinds made from the BDC unit (arXiv 2405.17037, figure 4); `BDCUnit` itself is the base module."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import UnitConfig
from .graph_builder import GraphBuilder
from .units import BDCUnit


def _pair(channels_in: int, channels_out: int, config: UnitConfig) -> nn.ModuleList:
    return nn.ModuleList([BDCUnit(channels_in, channels_out, config) for _ in range(2)])


def _even(channels: int, kind: str) -> int:
    if channels % 2:
        raise ValueError(f"{kind} splits its channels in halves and needs an even number of them; found {channels}")
    return channels // 2


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
        return torch.cat([unit(part) for unit, part in zip(self.units, x.chunk(2, dim=1), strict=True)], dim=1)

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
        first, second = (unit(part) for unit, part in zip(self.units, x.chunk(2, dim=1), strict=True))
        return (first + second) / 2

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        halves = graph.split(f"{name}.halves", x, [self.half, self.half])
        outputs = [u.emit(graph, f"{name}.{i}", h) for i, (u, h) in enumerate(zip(self.units, halves, strict=True))]
        return graph.add("average", name, outputs)
