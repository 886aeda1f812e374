"""The units that the paper compares BDC with, at the same places of the same network (arXiv 2405.17037, section 4.2).

BiSRNet's is BDC V0 without batch norm: bdc_training.units.build_unit.
"""

from torch import Tensor, nn

from .binary import Binarization, BinaryConvBlock, RPReLU
from .config_sections import UnitConfig
from .graph_builder import GraphBuilder
from .residual import Residual

REACTNET = Binarization("quadratic", scaled=False)
BBCU = Binarization("clamp", scaled=False)
BIMATTING = Binarization("clamp", scaled=False, centred_weight=True)


class ReActNetUnit(nn.Module):
    """RPReLU(biconv3×3(sign(X + b)) + residual(X)) (arXiv 2003.03488): [N, C_in, H, W] → [N, C_out, H/stride, …]."""

    def __init__(self, channels_in: int, channels_out: int, config: UnitConfig, stride: int = 1) -> None:
        super().__init__()
        self.spatial = BinaryConvBlock(
            channels_in,
            channels_out,
            3,
            stride=stride,
            batch_norm=config.batch_norm,
            activation=False,
            precision=config.precision,
            binarization=REACTNET,
        )
        self.residual = Residual(channels_in, channels_out, stride, config.residual_batch_norm)
        self.activation = RPReLU(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.spatial(x) + self.residual(x))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        y = self.spatial.emit(graph, f"{name}.spatial", x)
        y = graph.add("add", f"{name}.sum", [y, self.residual.emit(graph, f"{name}.residual", x)])
        return self.activation.emit(graph, name, y)


class BBCUUnit(nn.Module):
    """RPReLU(biconv3×3(sign(X + b))) + residual(X) (arXiv 2210.00405): [N, C_in, H, W] → [N, C_out, H/stride, …]."""

    def __init__(self, channels_in: int, channels_out: int, config: UnitConfig, stride: int = 1) -> None:
        super().__init__()
        self.spatial = BinaryConvBlock(
            channels_in,
            channels_out,
            3,
            stride=stride,
            batch_norm=False,
            precision=config.precision,
            binarization=BBCU,
        )
        self.residual = Residual(channels_in, channels_out, stride, batch_norm=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.spatial(x) + self.residual(x)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        y = self.spatial.emit(graph, f"{name}.spatial", x)
        return graph.add("add", name, [y, self.residual.emit(graph, f"{name}.residual", x)])


class BiMattingUnit(nn.Module):
    """Two sums, each with an RPReLU behind it (BiMatting, NeurIPS 2023): [N, C_in, H, W] → [N, C_out, H/stride, …].

    y = RPReLU(norm(biconv3×3(sign(X + b))) + pool(X)), C_in channels; then RPReLU(norm(biconv1×1(sign(y + b))) + y),
    C_out channels. `pointwise_input: real` leaves the second sign out.
    """

    def __init__(self, channels_in: int, channels_out: int, config: UnitConfig, stride: int = 1) -> None:
        super().__init__()
        precision = config.precision
        self.spatial = BinaryConvBlock(
            channels_in, channels_in, 3, stride=stride, activation=False, precision=precision, binarization=BIMATTING
        )
        self.spatial_residual = Residual(channels_in, channels_in, stride, batch_norm=False)
        self.spatial_activation = RPReLU(channels_in)
        self.pointwise = BinaryConvBlock(
            channels_in,
            channels_out,
            1,
            signed=config.pointwise_input != "real",
            activation=False,
            precision=precision,
            binarization=BIMATTING,
        )
        self.pointwise_residual = Residual(channels_in, channels_out, 1, batch_norm=False)
        self.pointwise_activation = RPReLU(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        y = self.spatial_activation(self.spatial(x) + self.spatial_residual(x))
        return self.pointwise_activation(self.pointwise(y) + self.pointwise_residual(y))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        y = self.spatial.emit(graph, f"{name}.spatial", x)
        y = graph.add("add", f"{name}.spatial_sum", [y, self.spatial_residual.emit(graph, f"{name}.pool", x)])
        y = self.spatial_activation.emit(graph, f"{name}.spatial_activation", y)
        z = self.pointwise.emit(graph, f"{name}.pointwise", y)
        z = graph.add("add", f"{name}.sum", [z, self.pointwise_residual.emit(graph, f"{name}.residual", y)])
        return self.pointwise_activation.emit(graph, name, z)
