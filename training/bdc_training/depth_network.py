"""The published depth network: camera-aware (BEVDepth, arXiv 2206.10092), with a stereo cost volume beside the image's
features (BEVStereo, arXiv 2209.10248). All of it is real."""

import torch
from torch import Tensor, nn

from .calibration import PARAMETERS
from .emit import emit_all
from .graph_builder import GraphBuilder, batch_norm_scale_bias
from .real_layers import BasicBlock, ConvLayer

# Distances of the taps of the pyramid's 3×3 convolutions.
DILATIONS = (6, 12, 18)
# The cost volume is at stride 4, the features at 16: two convolutions of stride 2.
VOLUME_STEPS = 2


class CameraGate(nn.Module):
    """Weights channels by what the camera is: [N, C, h, w], parameters [N, 27, 1, 1] → [N, C, h, w].

    27 → C → C by a perceptron (ReLU between), then a squeeze-and-excitation gate (arXiv 1709.01507) of that.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        plain = {"batch_norm": False}
        self.layers = nn.Sequential(
            ConvLayer(PARAMETERS, channels, 1, **plain),
            ConvLayer(channels, channels, 1, relu=False, **plain),
            ConvLayer(channels, channels, 1, **plain),
            ConvLayer(channels, channels, 1, relu=False, **plain),
        )

    def forward(self, x: Tensor, parameters: Tensor) -> Tensor:
        return x * torch.sigmoid(self.layers(parameters))

    def emit(self, graph: GraphBuilder, name: str, x: str, parameters: str) -> str:
        gate = graph.add("sigmoid", f"{name}.gate", [emit_all(self.layers, graph, f"{name}.layers", parameters)])
        return graph.add("channel_gate", name, [x, gate])


class SpatialPyramid(nn.Module):
    """Atrous spatial pyramid pooling (arXiv 1706.05587): [N, C, h, w] → the same.

    A 1×1, 3×3 convolutions whose taps lie apart, and the image's mean, concatenated; a 1×1 brings them back to C.
    """

    def __init__(self, channels: int, middle: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [ConvLayer(channels, middle, 1), *(ConvLayer(channels, middle, 3, dilation=d) for d in DILATIONS)]
        )
        self.pooled = ConvLayer(channels, middle, 1)
        self.out = ConvLayer((len(self.branches) + 1) * middle, channels, 1)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        parts = [branch(x) for branch in self.branches]
        parts.append(self.pooled(x.mean((2, 3), keepdim=True)).expand_as(parts[0]))
        return self.dropout(self.out(torch.cat(parts, dim=1)))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        """The last 1×1 in two parts: of the mean it is one offset a channel."""
        parts = [branch.emit(graph, f"{name}.branches.{i}", x) for i, branch in enumerate(self.branches)]
        mean = self.pooled.emit(graph, f"{name}.pooled", graph.add("global_avg_pool2d", f"{name}.mean", [x]))
        scale, bias = batch_norm_scale_bias(self.out.norm)
        weight = self.out.conv.weight.detach() * scale.view(-1, 1, 1, 1)
        split = weight.shape[1] - self.pooled.conv.out_channels
        pointwise = {"stride": [1, 1], "padding": [0, 0]}
        both = graph.add("concat", f"{name}.both", parts)
        y = graph.add("conv2d", f"{name}.out", [both], pointwise, {"weight": weight[:, :split], "bias": bias})
        offset = graph.add("conv2d", f"{name}.out_of_mean", [mean], pointwise, {"weight": weight[:, split:]})
        return graph.add("relu", name, [graph.add("channel_offset", f"{name}.sum", [y, offset])])


class DepthNetwork(nn.Module):
    """Features [N, C, h, w], parameters [N, 27], cost volume [N, D, 4h, 4w] → depth logits and context, [N, D + C_out,
    h, w]."""

    def __init__(self, channels: int, depths: int, context_channels: int, pyramid_channels: int) -> None:
        super().__init__()
        self.reduce = ConvLayer(channels, channels, 3, bias=True)
        self.parameters_norm = nn.BatchNorm2d(PARAMETERS)
        self.context_gate = CameraGate(channels)
        self.context = ConvLayer(channels, context_channels, 1, batch_norm=False, relu=False)
        self.depth_gate = CameraGate(channels)
        self.volume = nn.Sequential(
            *(ConvLayer(depths, depths, 3, stride=2, bias=True, relu=False) for _ in range(VOLUME_STEPS))
        )
        self.depth = nn.Sequential(
            BasicBlock(channels + depths, channels, shortcut_kernel=1),
            BasicBlock(channels, channels),
            BasicBlock(channels, channels),
            SpatialPyramid(channels, pyramid_channels),
            ConvLayer(channels, depths, 1, batch_norm=False, relu=False),
        )

    def forward(self, x: Tensor, parameters: Tensor, volume: Tensor) -> Tensor:
        known = self.parameters_norm(parameters[:, :, None, None])
        x = self.reduce(x)
        context = self.context(self.context_gate(x, known))
        depth = torch.cat([self.depth_gate(x, known), self.volume(volume)], dim=1)
        return torch.cat([self.depth(depth), context], dim=1)

    def emit(self, graph: GraphBuilder, name: str, x: str, volume: str) -> tuple[str, str]:
        """Names of the depth logits and of the context."""
        known = graph.add("camera_parameters", f"{name}.parameters", [x])
        known = graph.batch_norm(f"{name}.parameters_norm", known, self.parameters_norm)
        x = self.reduce.emit(graph, f"{name}.reduce", x)
        context = self.context.emit(
            graph, f"{name}.context", self.context_gate.emit(graph, f"{name}.context_gate", x, known)
        )
        depth = self.depth_gate.emit(graph, f"{name}.depth_gate", x, known)
        both = graph.add("concat", f"{name}.both", [depth, emit_all(self.volume, graph, f"{name}.volume", volume)])
        return emit_all(self.depth, graph, f"{name}.depth", both), context
