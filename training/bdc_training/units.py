"""The BDC unit and the versions it grew from (arXiv 2405.17037, section 3.2), and the choice of a unit by its name."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import zip_longest

import torch
from torch import Tensor, nn

from . import fused
from .binary import Binarization, BinaryConvBlock
from .config_sections import UnitConfig
from .graph_builder import GraphBuilder
from .other_units import BBCUUnit, BiMattingUnit, ReActNetUnit
from .residual import Residual

BDC_VERSIONS = ("V0", "V1", "V2", "V3")


def _blocks(config: UnitConfig) -> Callable[..., BinaryConvBlock]:
    return partial(
        BinaryConvBlock,
        batch_norm=config.batch_norm,
        precision=config.precision,
        binarization=Binarization(config.gradient),
    )


class Refinement(nn.Module):
    """MulBiconv: binary 1×1 (C → C/r) → RPReLU → binary 1×1 (C/r → C). [N, C, H, W] → the same."""

    def __init__(self, channels: int, config: UnitConfig) -> None:
        super().__init__()
        if config.reduction < 1 or channels % config.reduction:
            raise ValueError(f"unit.reduction must divide the unit's {channels} channels; found {config.reduction}")
        hidden = channels // config.reduction
        block = partial(_blocks(config), signed=config.pointwise_input == "sign", batch_norm=False)
        self.squeeze = block(channels, hidden, 1)
        self.expand = block(hidden, channels, 1, activation=False)

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
    real activations (W1A32, the published configuration) or signs (W1A1). `inner_shortcuts` adds to each convolution of
    the body its input (bdc_training.residual).
    """

    def __init__(self, channels_in: int, channels_out: int, config: UnitConfig, stride: int = 1) -> None:
        super().__init__()
        if config.version not in BDC_VERSIONS:
            raise ValueError(f"unit.version must be one of {', '.join(BDC_VERSIONS)}; found {config.version!r}")
        self.version = config.version
        has_pointwise = config.version != "V0"
        spatial_out = channels_in if has_pointwise else channels_out
        pointwise = partial(_blocks(config), signed=config.pointwise_input == "sign")
        further = config.pointwise_layers - 1 if has_pointwise else 0
        self.spatial = _blocks(config)(channels_in, spatial_out, 3, stride=stride)
        self.pointwise = pointwise(channels_in, channels_out, 1) if has_pointwise else None
        self.further_pointwise = nn.ModuleList(pointwise(channels_out, channels_out, 1) for _ in range(further))
        self.refinement = Refinement(channels_out, config) if config.version in ("V2", "V3") else None
        self.residual = Residual(channels_in, channels_out, stride, config.residual_batch_norm)
        # Round each convolution of the body, in order.
        sizes = [
            (channels_in, spatial_out, stride),
            (spatial_out, channels_out, 1),
            *[(channels_out, channels_out, 1)] * further,
        ]
        self.shortcuts = nn.ModuleList(
            Residual(*size, batch_norm=False) for size in sizes[: len(self._body)] if config.inner_shortcuts
        )

    @property
    def _body(self) -> list[tuple[str, BinaryConvBlock]]:
        """Its convolutions by name, in order."""
        blocks = [("spatial", self.spatial), ("pointwise", self.pointwise)]
        blocks += [(f"further_pointwise.{i}", block) for i, block in enumerate(self.further_pointwise)]
        return [(name, block) for name, block in blocks if block is not None]

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for (_, block), shortcut in zip_longest(self._body, self.shortcuts):
            y = block(y) if shortcut is None else block(y) + shortcut(y)
        if self.refinement is not None:
            if self.version == "V2":
                y = self.refinement(y)
            else:
                gate = torch.sigmoid(self.refinement(y.mean((2, 3), keepdim=True)))
                residual = self.residual(x)
                return fused.gate_add(y, gate, residual) if fused.usable(y, residual) else y * gate + residual
        return y + self.residual(x)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        y = x
        for (part, block), shortcut in zip_longest(self._body, self.shortcuts):
            z = block.emit(graph, f"{name}.{part}", y)
            if shortcut is not None:
                z = graph.add("add", f"{name}.{part}.sum", [z, shortcut.emit(graph, f"{name}.{part}.shortcut", y)])
            y = z
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
