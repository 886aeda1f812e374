"""FlashOcc's and BEVDet's BEV encoder, full precision: the twin of bdc_training.bdc_bev_encoder."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config
from .emit import emit_all
from .graph_builder import GraphBuilder
from .real_layers import BasicBlock, ConvLayer


class FlashOccBevEncoder(nn.Module):
    """[B, C_in, ny, nx] → [B, C_out, ny, nx], by way of 2C, 4C and 8C channels (C the context's) at 1/2, 1/4 and 1/8 of
    the resolution.

    Their bilinear enlargements have the corners of both grids on each other (align_corners); here cells keep their
    places (docs/paper.md).
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels, out = config.view_transformer.context_channels, config.bev_encoder.out_channels
        widths = (config.bev_channels, 2 * channels, 4 * channels, 8 * channels)
        self.stages = nn.ModuleList(
            [nn.Sequential(BasicBlock(widths[i], widths[i + 1], 2), BasicBlock(*[widths[i + 1]] * 2)) for i in range(3)]
        )
        self.fuse = nn.Sequential(ConvLayer(10 * channels, 2 * out, 3), ConvLayer(2 * out, 2 * out, 3))
        self.out = nn.Sequential(ConvLayer(2 * out, out, 3), ConvLayer(out, out, 1, batch_norm=False, relu=False))

    def forward(self, x: Tensor) -> Tensor:
        half = self.stages[0](x)
        eighth = self.stages[2](self.stages[1](half))
        x = self.fuse(torch.cat([half, _enlarged(eighth, 4)], dim=1))
        return self.out(_enlarged(x, 2))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        maps = []
        for i, stage in enumerate(self.stages):
            x = emit_all(stage, graph, f"{name}.stages.{i}", x)
            maps.append(x)
        half, _, eighth = maps
        up = graph.add("upsample2d", f"{name}.up", [eighth], {"factor": 4, "mode": "bilinear"})
        x = emit_all(self.fuse, graph, f"{name}.fuse", graph.add("concat", f"{name}.both", [half, up]))
        x = graph.add("upsample2d", f"{name}.up2", [x], {"factor": 2, "mode": "bilinear"})
        return emit_all(self.out, graph, f"{name}.out", x)


def _enlarged(x: Tensor, factor: int) -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
