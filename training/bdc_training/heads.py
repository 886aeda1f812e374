"""The edge network's task heads: occupancy by channel-to-height, detection by centre heatmaps (arXiv 2006.11275).

Their last layers are real.
"""

from torch import Tensor, nn

from .blocks import ChannelReduction
from .classes import DETECTION_CLASSES, FREE, OCCUPANCY_CLASSES
from .config import Config
from .convolution import Conv2d
from .graph_builder import GraphBuilder
from .units import build_unit

# Channels of each map of the detection head.
MAP_SIZES = {"heatmap": len(DETECTION_CLASSES), "reg": 2, "height": 1, "dim": 3, "rot": 2, "vel": 2}
# One positive in ten cells: focal loss starts without a burst of false positives (arXiv 1708.02002).
HEATMAP_PRIOR = -2.19


class OccupancyHead(nn.Module):
    """[B, C, ny, nx] → logits [B, nz·K, ny, nx], channel = z·K + class."""

    def __init__(self, channels: int, config: Config) -> None:
        super().__init__()
        self.logits = Conv2d(channels, config.grid.shape[2] * len(OCCUPANCY_CLASSES), 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits(x)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> dict[str, str]:
        return emit_occupancy(graph, name, graph.conv2d(f"{name}.logits", x, self.logits))


class DetectionHead(nn.Module):
    """[B, C, ny, nx] → the maps of docs/model-format.md: heatmap, reg, height, dim, rot, vel, each [B, c, ny, nx].

    Half the channels, then one unit for the heatmap and one that the maps of the box share; each map has its own real
    3×3 convolution.
    """

    def __init__(self, channels: int, config: Config) -> None:
        super().__init__()
        self.reduce = ChannelReduction(channels, config.unit)
        half = channels // 2
        self.heatmap = build_unit(half, half, config.unit)
        self.box = build_unit(half, half, config.unit)
        self.maps = nn.ModuleDict({name: Conv2d(half, n, 3, padding=1) for name, n in MAP_SIZES.items()})
        nn.init.constant_(self.maps["heatmap"].bias, HEATMAP_PRIOR)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.reduce(x)
        heatmap, box = self.heatmap(x), self.box(x)
        return {name: conv(heatmap if name == "heatmap" else box) for name, conv in self.maps.items()}

    def emit(self, graph: GraphBuilder, name: str, x: str) -> dict[str, str]:
        x = self.reduce.emit(graph, f"{name}.reduce", x)
        heatmap = self.heatmap.emit(graph, f"{name}.heatmap", x)
        box = self.box.emit(graph, f"{name}.box", x)
        return {
            role: graph.conv2d(f"{name}.maps.{role}", heatmap if role == "heatmap" else box, conv)
            for role, conv in self.maps.items()
        }


def emit_occupancy(graph: GraphBuilder, name: str, logits: str) -> dict[str, str]:
    """Adds the choice of each voxel's class behind logits [1, nz·K, ny, nx]; returns tensor names by output role."""
    labels, confidence = f"{name}.labels", f"{name}.confidence"
    classes = {"classes": len(OCCUPANCY_CLASSES)}
    graph.add("occupancy_argmax", f"{name}.argmax", [logits], classes, outputs=[labels, confidence])
    return {"occupancy_logits": logits, "occupancy_labels": labels, "occupancy_confidence": confidence}


def occupancy_manifest() -> dict[str, object]:
    """The manifest's `occupancy` section."""
    return {"classes": [dict(c._asdict(), color=list(c.color)) for c in OCCUPANCY_CLASSES], "free": FREE}


def detection_manifest(config: Config) -> dict[str, object]:
    """The manifest's `detection` section."""
    return {
        "classes": [dict(c._asdict(), color=list(c.color)) for c in DETECTION_CLASSES],
        "score_threshold": config.detection.score_threshold,
        "nms_threshold": config.detection.nms_threshold,
        "max_candidates": config.detection.max_candidates,
    }
