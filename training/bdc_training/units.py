"""The BDC unit and the versions it grew from (arXiv 2405.17037, section 3.2), and the choice of a unit by its name."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from . import fused
from .binary import BinaryConvBlock
from .config_sections import Precision, UnitConfig
from .graph_builder import GraphBuilder
from .other_units import BBCUUnit, BiMattingUnit, ReActNetUnit
from .residual import Residual

BDC_VERSIONS = ("V0", "V1", "V2", "V3")


class Refinement(nn.Module):
    """MulBiconv: binary 1×1 (C → C/r) → RPReLU → binary 1×1 (C/r → C). [N, C, H, W] → the same."""

    def __init__(self, channels: int, reduction: int, signed: bool, precision: Precision) -> None:
        super().__init__()
        if reduction < 1 or channels % reduction:
            raise ValueError(f"unit.reduction must divide the unit's {channels} channels; found {reduction}")
        hidden = channels // reduction
        self.squeeze = BinaryConvBlock(channels, hidden, 1, signed=signed, batch_norm=False, precision=precision)
        self.expand = BinaryConvBlock(
            hidden, channels, 1, signed=signed, batch_norm=False, activation=False, precision=precision
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.expand(self.squeeze(x))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        return self.expand.emit(graph, f"{name}.expand", self.squeeze.emit(graph, f"{name}.squeeze", x))


class BDCUnit(nn.Module):
    """X_o = body(X_f) + residual(X_f): [N, C_in, H, W] → [N, C_out, H/stride, W/stride].

    | version | body |
    | --- | --- |
    | V0 | sign → binary 3×3 → RPReLU |
    | V1 | V0 → binary 1×1 → RPReLU (`pointwise_layers` times) |
    | V2 | V1 → MulBiconv |
    | V3 | y ⊙ sigmoid(MulBiconv(global average of y)), y = V1 |

    From V1 on the 3×3 keeps C_in channels and the 1×1 maps to C_out; `pointwise_input` says whether the 1×1 layers see
    real activations (W1A32, the published configuration) or signs (W1A1).
    """

    def __init__(self, channels_in: int, channels_out: int, config: UnitConfig, stride: int = 1) -> None:
        super().__init__()
        if config.version not in BDC_VERSIONS:
            raise ValueError(f"unit.version must be one of {', '.join(BDC_VERSIONS)}; found {config.version!r}")
        signed = config.pointwise_input == "sign"
        self.version = config.version
        spatial_out = channels_out if config.version == "V0" else channels_in
        norm, precision = config.batch_norm, config.precision
        self.spatial = BinaryConvBlock(channels_in, spatial_out, 3, stride=stride, batch_norm=norm, precision=precision)
        self.pointwise = (
            None
            if config.version == "V0"
            else BinaryConvBlock(channels_in, channels_out, 1, signed=signed, batch_norm=norm, precision=precision)
        )
        further = 0 if config.version == "V0" else config.pointwise_layers - 1
        self.further_pointwise = nn.Sequential(
            *(
                BinaryConvBlock(channels_out, channels_out, 1, signed=signed, batch_norm=norm, precision=precision)
                for _ in range(further)
            )
        )
        self.refinement = (
            Refinement(channels_out, config.reduction, signed, precision) if config.version in ("V2", "V3") else None
        )
        self.residual = Residual(channels_in, channels_out, stride, config.residual_batch_norm)

    def forward(self, x: Tensor) -> Tensor:
        y = self.spatial(x)
        if self.pointwise is not None:
            y = self.further_pointwise(self.pointwise(y))
        if self.refinement is not None:
            if self.version == "V2":
                y = self.refinement(y)
            else:
                gate = torch.sigmoid(self.refinement(y.mean((2, 3), keepdim=True)))
                residual = self.residual(x)
                return fused.gate_add(y, gate, residual) if fused.usable(y, residual) else y * gate + residual
        return y + self.residual(x)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        y = self.spatial.emit(graph, f"{name}.spatial", x)
        if self.pointwise is not None:
            y = self.pointwise.emit(graph, f"{name}.pointwise", y)
            for i, block in enumerate(self.further_pointwise):
                y = block.emit(graph, f"{name}.further_pointwise.{i}", y)  # type: ignore[operator]
        if self.refinement is not None:
            if self.version == "V2":
                y = self.refinement.emit(graph, f"{name}.refinement", y)
            else:
                mean = graph.add("global_avg_pool2d", f"{name}.refinement.mean", [y])
                logits = self.refinement.emit(graph, f"{name}.refinement", mean)
                gate = graph.add("sigmoid", f"{name}.refinement.gate", [logits])
                y = graph.add("channel_gate", f"{name}.refined", [y, gate])
        return graph.add("add", name, [y, self.residual.emit(graph, f"{name}.residual", x)])


def build_unit(channels_in: int, channels_out: int, config: UnitConfig, stride: int = 1) -> nn.Module:
    """The unit that `config.version` names: [N, C_in, H, W] → [N, C_out, H/stride, W/stride]."""
    if config.version == "BiSRNet":
        # Its unit is V0 without batch norm (arXiv 2305.10299).
        config = replace(config, version="V0", batch_norm=False, residual_batch_norm=False)
    others = {"ReActNet": ReActNetUnit, "BBCU": BBCUUnit, "BiMatting": BiMattingUnit}
    return others.get(config.version, BDCUnit)(channels_in, channels_out, config, stride)
