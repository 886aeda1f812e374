"""The network's memory: the previous frame's BEV feature beside this one's (BEVDet4D, arXiv 2203.17054)."""

import torch
from torch import Tensor, nn

from .align_previous import align_previous
from .blocks import ResidualBlock
from .config import Config
from .graph_builder import GraphBuilder
from .previous import Previous
from .real_layers import BasicBlock


class TemporalFusion(nn.Module):
    """[B, C, ny, nx] of this frame and of the one before → [B, 2·C, ny, nx], the one before first.

    A residual block may prepare what is kept and concatenated (the published networks' pre-process net).
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.grid = config.grid
        channels, kind = config.view_transformer.context_channels, config.temporal.pre_process
        if kind == "units":
            # With a shortcut of its own though nothing changes its size, as published.
            self.pre_process = ResidualBlock(channels, config.within("bev_encoder").unit, "projected")
        elif kind == "real":
            self.pre_process = BasicBlock(channels, channels, projected=True)
        else:
            self.pre_process = None

    def prepare(self, bev: Tensor) -> Tensor:
        """What is kept of a frame, [B, C, ny, nx]."""
        return bev if self.pre_process is None else self.pre_process(bev)

    def forward(self, prepared: Tensor, before: Tensor | None, previous: Previous | None) -> Tensor:
        """Of what was prepared of both frames; without a frame before, or where there was none, its part is 0."""
        if before is None or previous is None:
            aligned = torch.zeros_like(prepared)
        else:
            aligned = align_previous(before, previous.planar_motion, self.grid)
            aligned = aligned * previous.exists.view(-1, 1, 1, 1)
        return torch.cat([aligned, prepared], dim=1)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        if self.pre_process is not None:
            x = self.pre_process.emit(graph, f"{name}.pre_process", x)
        return graph.add("concat", f"{name}.both", [graph.add("align_previous", f"{name}.previous", [x]), x])
