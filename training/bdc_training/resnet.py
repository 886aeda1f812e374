"""ResNet-50 (arXiv 1512.03385) as an image backbone, the stride in the 3×3 convolutions as torchvision has it."""

import torch.nn.functional as F
from torch import Tensor, nn

from .graph_builder import GraphBuilder
from .real_layers import ConvLayer

BLOCKS = (3, 4, 6, 3)
# A bottleneck's output has this many times the channels of its 3×3.
EXPANSION = 4


class Bottleneck(nn.Module):
    """ReLU(1×1 → 3×3 → 1×1 + shortcut): [N, C_in, H, W] → [N, 4·width, H/stride, W/stride]."""

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        channels_out = EXPANSION * width
        self.conv1 = ConvLayer(channels_in, width, 1)
        self.conv2 = ConvLayer(width, width, 3, stride=stride)
        self.conv3 = ConvLayer(width, channels_out, 1, relu=False)
        changes = stride != 1 or channels_in != channels_out
        self.shortcut = ConvLayer(channels_in, channels_out, 1, stride=stride, relu=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv3(self.conv2(self.conv1(x))) + (x if self.shortcut is None else self.shortcut(x)))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        y = x
        for part in ("conv1", "conv2", "conv3"):
            y = getattr(self, part).emit(graph, f"{name}.{part}", y)
        shortcut = x if self.shortcut is None else self.shortcut.emit(graph, f"{name}.shortcut", x)
        return graph.add("relu", name, [graph.add("add", f"{name}.sum", [y, shortcut])])


class ResNet50(nn.Module):
    """[N, 3, H, W] → the four stages' maps, [N, 4·width, H/4, W/4] to [N, 32·width, H/32, W/32]; 64 is the published
    width."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.stem = ConvLayer(3, width, 7, stride=2)
        self.stages = nn.ModuleList()
        channels = width
        for i, count in enumerate(BLOCKS):
            blocks = []
            for j in range(count):
                blocks.append(Bottleneck(channels, width << i, 2 if i > 0 and j == 0 else 1))
                channels = EXPANSION * (width << i)
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = [self.first_stage(x)]
        for stage in self.stages[1:]:
            maps.append(stage(maps[-1]))
        return maps

    def first_stage(self, x: Tensor) -> Tensor:
        return self.stages[0](F.max_pool2d(self.stem(x), 3, 2, 1))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> list[str]:
        x = self.stem.emit(graph, f"{name}.stem", x)
        x = graph.add("max_pool2d", f"{name}.pool", [x], {"kernel": [3, 3], "stride": [2, 2], "padding": [1, 1]})
        maps = []
        for i, stage in enumerate(self.stages):
            for j, block in enumerate(stage):
                x = block.emit(graph, f"{name}.stages.{i}.{j}", x)
            maps.append(x)
        return maps
