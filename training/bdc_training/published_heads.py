"""Task heads of the published networks, of units (BDC-Occ, BDC-Det) or real throughout (FlashOcc, BEVDet)."""

import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import reductions
from .classes import OCCUPANCY_CLASSES
from .config import Config
from .convolution import Conv2d
from .emit import emit_all
from .graph_builder import GraphBuilder
from .heads import HEATMAP_PRIOR, MAP_SIZES, emit_occupancy
from .real_layers import ConvLayer
from .units import build_unit

# Channels of the detection head's maps before their last convolutions.
SHARED = 64


class MlpOccupancyHead(nn.Module):
    """[B, C, ny, nx] → logits [B, nz·K, ny, nx], channel = z·K + class: a unit (BDC-Occ) or a real 3×3 (FlashOcc), then
    a real MLP of each cell, C → 2·C → softplus → nz·K."""

    def __init__(self, channels: int, config: Config) -> None:
        super().__init__()
        is_binary = config.heads.occupancy == "bdc"
        self.first = (
            build_unit(channels, channels, config.unit)
            if is_binary
            else ConvLayer(channels, channels, 3, batch_norm=False)
        )
        self.hidden = Conv2d(channels, 2 * channels, 1)
        self.logits = Conv2d(2 * channels, config.grid.shape[2] * len(OCCUPANCY_CLASSES), 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits(F.softplus(self.hidden(self.first(x))))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> dict[str, str]:
        hidden = graph.conv2d(f"{name}.hidden", self.first.emit(graph, f"{name}.first", x), self.hidden)
        hidden = graph.add("softplus", f"{name}.softplus", [hidden])
        return emit_occupancy(graph, name, graph.conv2d(f"{name}.logits", hidden, self.logits))


class CentreHead(nn.Module):
    """[B, C, ny, nx] → the maps of docs/model-format.md, each [B, c, ny, nx] (arXiv 2006.11275).

    C is brought to 64, then each map has a layer of its own and a real 3×3: reductions and units (BDC-Det), or real 3×3
    layers (BEVDet).
    """

    def __init__(self, channels: int, config: Config) -> None:
        super().__init__()
        is_binary = config.heads.detection == "bdc"
        shared = min(SHARED, channels)
        self.shared = (
            reductions(channels, shared, config.unit) if is_binary else nn.Sequential(ConvLayer(channels, shared, 3))
        )
        self.layers = nn.ModuleDict(
            {
                name: build_unit(shared, shared, config.unit) if is_binary else ConvLayer(shared, shared, 3)
                for name in MAP_SIZES
            }
        )
        self.maps = nn.ModuleDict({name: Conv2d(shared, n, 3, padding=1) for name, n in MAP_SIZES.items()})
        nn.init.constant_(self.maps["heatmap"].bias, HEATMAP_PRIOR)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.shared(x)
        return {name: self.maps[name](layer(x)) for name, layer in self.layers.items()}

    def emit(self, graph: GraphBuilder, name: str, x: str) -> dict[str, str]:
        x = emit_all(self.shared, graph, f"{name}.shared", x)
        return {
            role: graph.conv2d(f"{name}.maps.{role}", layer.emit(graph, f"{name}.layers.{role}", x), self.maps[role])
            for role, layer in self.layers.items()
        }
