"""The published BEV encoder made of units: three stages of residual blocks and the way back up."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from .blocks import ChannelReduction, ResidualBlock, UpSample
from .config import Config
from .emit import emit_all
from .graph_builder import GraphBuilder
from .real_layers import ConvLayer
from .units import build_unit


class BdcBevEncoder(nn.Module):
    """[B, C_in, ny, nx] → [B, C_out, ny, nx], by way of 2C, 4C and 8C channels (C the context's) at 1/2, 1/4 and 1/8 of
    the resolution.

    The coarsest stage is enlarged to the finest one's size and concatenated behind it; a real 3×3 (the only real layer)
    and a unit make 2·C_out of that, which is enlarged to the grid's size and halved.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels, out, unit = config.view_transformer.context_channels, config.bev_encoder.out_channels, config.unit
        # The published shortcuts have no batch norm, whatever the units have.
        shortcut = replace(unit, batch_norm=False, residual_batch_norm=False)
        self.stages = nn.ModuleList()
        for i in range(3):
            first = (
                ResidualBlock(config.bev_channels, unit, "stride 2", shortcut, 2 * channels)
                if i == 0
                else ResidualBlock(channels << i, unit, "down-sample", shortcut)
            )
            self.stages.append(nn.Sequential(first, ResidualBlock(channels << i + 1, unit, "unit")))
        self.up = nn.Sequential(UpSample(8 * channels, unit), UpSample(8 * channels, unit))
        self.fuse = nn.Sequential(ConvLayer(10 * channels, 2 * out, 3), build_unit(2 * out, 2 * out, unit))
        self.out = nn.Sequential(UpSample(2 * out, unit), ChannelReduction(2 * out, unit), build_unit(out, out, unit))

    def forward(self, x: Tensor) -> Tensor:
        half = self.stages[0](x)
        eighth = self.stages[2](self.stages[1](half))
        return self.out(self.fuse(torch.cat([half, self.up(eighth)], dim=1)))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        half = x = emit_all(self.stages[0], graph, f"{name}.stages.0", x)
        for i in (1, 2):
            x = emit_all(self.stages[i], graph, f"{name}.stages.{i}", x)
        both = graph.add("concat", f"{name}.both", [half, emit_all(self.up, graph, f"{name}.up", x)])
        return emit_all(self.out, graph, f"{name}.out", emit_all(self.fuse, graph, f"{name}.fuse", both))
