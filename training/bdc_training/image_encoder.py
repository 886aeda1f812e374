"""Image encoder: surround images to feature maps at stride 16, or 8."""

from torch import Tensor, nn

from .blocks import DownSample, UpStep
from .config import Config
from .config_sections import COARSEST_STRIDE
from .convolution import Conv2d
from .graph_builder import GraphBuilder
from .real_layers import norm_prelu
from .units import build_unit

# How many of the encoder's stages lead to stride 8.
STAGES_TO_STRIDE_8 = 3


class Stem(nn.Module):
    """The real-valued start: two 3×3 convolutions of stride 2. [N, 3, H, W] → [N, C, H/4, W/4]."""

    def __init__(self, hidden: int, channels: int) -> None:
        super().__init__()
        self.conv1 = Conv2d(3, hidden, 3, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(hidden)
        self.slope = nn.Parameter(nn.init.constant_(self.norm1.weight.new_empty(hidden), 0.25))
        self.conv2 = Conv2d(hidden, channels, 3, stride=2, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = norm_prelu(self.conv1.sums(x), self.norm1, self.slope)
        return norm_prelu(self.conv2.sums(x), self.norm2)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        x = graph.conv2d(f"{name}.conv1", x, self.conv1, self.norm1)
        x = graph.add("prelu", f"{name}.prelu", [x], tensors={"slope": self.slope})
        return graph.conv2d(f"{name}.conv2", x, self.conv2, self.norm2)


class ImageEncoder(nn.Module):
    """[N, 3, H, W] → [N, C₁₆, H/16, W/16] or [N, C₈, H/8, W/8]: stem, then binary stages at strides 4, 8 and 16.

    The output at stride 8 is the last stage brought up to it, plus the stage there, and one unit.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels = config.image_encoder.channels
        if len(channels) != 3 or channels[1] != 2 * channels[0] or channels[2] != 2 * channels[1]:
            raise ValueError(f"image_encoder.channels needs three numbers, each twice the one before; found {channels}")
        unit = config.unit
        self.stem = Stem(config.image_encoder.stem, channels[0])
        self.stages = nn.Sequential(
            build_unit(channels[0], channels[0], unit),
            DownSample(channels[0], unit),
            build_unit(channels[1], channels[1], unit),
            DownSample(channels[1], unit),
            *(build_unit(channels[2], channels[2], unit) for _ in range(config.image_encoder.depth)),
        )
        is_coarsest = config.image_encoder.stride == COARSEST_STRIDE
        self.up = None if is_coarsest else UpStep(channels[1], unit)
        self.out = None if is_coarsest else build_unit(channels[1], channels[1], unit)

    def forward(self, images: Tensor) -> Tensor:
        fine = self.stages[:STAGES_TO_STRIDE_8](self.stem(images))
        coarse = self.stages[STAGES_TO_STRIDE_8:](fine)
        if self.up is None or self.out is None:
            return coarse
        return self.out(self.up(coarse, fine))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        x = self.stem.emit(graph, f"{name}.stem", x)
        fine = x
        for i, stage in enumerate(self.stages):
            x = stage.emit(graph, f"{name}.stages.{i}", x)
            if i + 1 == STAGES_TO_STRIDE_8:
                fine = x
        if self.up is None or self.out is None:
            return x
        return self.out.emit(graph, f"{name}.out", self.up.emit(graph, f"{name}.up", x, fine))
