"""The published image encoder: ResNet-50, and a neck that brings its last two maps to one of stride 16."""

import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import reductions
from .config import Config
from .emit import emit_all
from .graph_builder import GraphBuilder
from .real_layers import ConvLayer
from .resnet import ResNet50
from .units import build_unit

# Pixels of the image to one cell of the coarsest map.
COARSEST = 32


class ResNetImageEncoder(nn.Module):
    """[N, 3, H, W] → [N, C, H/16, W/16].

    Each map is brought to C channels (halved step by step by channel reductions, or by a real 1×1), the coarse one
    enlarged (nearest) and added to the fine one; then one unit (or a real 3×3).
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        encoder, unit = config.image_encoder, config.unit
        out = encoder.out_channels
        if config.input.width % COARSEST or config.input.height % COARSEST:
            raise ValueError(
                f"input.width, input.height: ResNet-50 needs multiples of {COARSEST}; "
                f"found {config.input.width}, {config.input.height}"
            )
        self.backbone = ResNet50(encoder.width)
        levels = (16 * encoder.width, 32 * encoder.width)
        if encoder.neck == "units":
            self.laterals = nn.ModuleList([reductions(channels, out, unit) for channels in levels])
            self.out = build_unit(out, out, unit)
        else:
            plain = {"batch_norm": False, "relu": False}
            self.laterals = nn.ModuleList([nn.Sequential(ConvLayer(channels, out, 1, **plain)) for channels in levels])
            self.out = ConvLayer(out, out, 3, **plain)

    def forward(self, images: Tensor) -> Tensor:
        return self.with_matching(images)[0]

    def with_matching(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Beside the output the first stage's map [N, 4·width, H/4, W/4], which stereo compares between frames."""
        maps = self.backbone(images)
        fine, coarse = (lateral(x) for lateral, x in zip(self.laterals, maps[2:], strict=True))
        return self.out(fine + F.interpolate(coarse, scale_factor=2, mode="nearest")), maps[0]

    def matching(self, images: Tensor) -> Tensor:
        """That map alone."""
        return self.backbone.first_stage(images)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        return self.emit_with_matching(graph, name, x)[0]

    def emit_with_matching(self, graph: GraphBuilder, name: str, x: str) -> tuple[str, str]:
        maps = self.backbone.emit(graph, f"{name}.backbone", x)
        fine, coarse = (
            emit_all(lateral, graph, f"{name}.laterals.{i}", x)
            for i, (lateral, x) in enumerate(zip(self.laterals, maps[2:], strict=True))
        )
        coarse = graph.add("upsample2d", f"{name}.up", [coarse], {"factor": 2, "mode": "nearest"})
        return self.out.emit(graph, f"{name}.out", graph.add("add", f"{name}.sum", [fine, coarse])), maps[0]
