"""Layers of real weights that the published networks share; what is binary is in bdc_training.binary."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import fused
from .convolution import Conv2d
from .graph_builder import GraphBuilder


def norm_prelu(x: Tensor, norm: nn.BatchNorm2d, slope: Tensor | None = None) -> Tensor:
    """PReLU(norm(x)), or norm(x) without a slope, of a convolution's result: [N, C, H, W], float32 or bfloat16."""
    if fused.norms(norm) and fused.usable_sums(x):
        return fused.norm_prelu(x, norm, torch.ones_like(norm.weight) if slope is None else slope)
    x = norm(x.float())
    return x if slope is None else F.prelu(x, slope)


class ConvLayer(nn.Module):
    """Convolution (→ batch norm) (→ ReLU), padded by half its kernel: [N, C_in, H, W] → [N, C_out, H/stride, W/stride].

    It has a bias where it has no batch norm, unless `bias` says otherwise.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel_size: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        batch_norm: bool = True,
        bias: bool | None = None,
        relu: bool = True,
    ) -> None:
        super().__init__()
        self.conv = Conv2d(
            channels_in,
            channels_out,
            kernel_size,
            stride,
            kernel_size // 2 * dilation,
            dilation,
            bias=not batch_norm if bias is None else bias,
        )
        self.norm = nn.BatchNorm2d(channels_out) if batch_norm else None
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return F.relu(x) if self.relu else x

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        x = graph.conv2d(f"{name}.conv", x, self.conv, self.norm)
        return graph.add("relu", f"{name}.relu", [x]) if self.relu else x


class BasicBlock(nn.Module):
    """ReLU(conv3×3(conv3×3(x)) + shortcut(x)) (arXiv 1512.03385), BEVDet's: where the size changes the shortcut is a
    convolution with bias, 3×3 or of `shortcut_kernel`; `projected` blocks have it anyway.

    [N, C_in, H, W] → [N, C_out, H/stride, W/stride].
    """

    def __init__(
        self, channels_in: int, channels_out: int, stride: int = 1, *, projected: bool = False, shortcut_kernel: int = 3
    ) -> None:
        super().__init__()
        self.conv1 = ConvLayer(channels_in, channels_out, 3, stride=stride)
        self.conv2 = ConvLayer(channels_out, channels_out, 3, relu=False)
        projected = projected or stride != 1 or channels_in != channels_out
        self.shortcut = (
            ConvLayer(channels_in, channels_out, shortcut_kernel, stride=stride, batch_norm=False, relu=False)
            if projected
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv2(self.conv1(x)) + (x if self.shortcut is None else self.shortcut(x)))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        y = self.conv2.emit(graph, f"{name}.conv2", self.conv1.emit(graph, f"{name}.conv1", x))
        shortcut = x if self.shortcut is None else self.shortcut.emit(graph, f"{name}.shortcut", x)
        return graph.add("relu", name, [graph.add("add", f"{name}.sum", [y, shortcut])])
