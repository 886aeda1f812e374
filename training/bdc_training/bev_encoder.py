"""BEV encoder: a binary pyramid over the bird's-eye-view grid, and the way back up with skips."""

from torch import Tensor, nn

from .blocks import ResidualBlock, UpStep
from .config import Config
from .emit import emit_all
from .graph_builder import GraphBuilder
from .units import build_unit


class BevEncoder(nn.Module):
    """[B, C, ny, nx] → [B, C_out, ny, nx], by way of 2C channels at 1/2 and 4C at 1/4 of the resolution."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        full = config.bev_channels
        half, quarter = config.bev_encoder.channels
        if (half, quarter) != (2 * full, 4 * full):
            raise ValueError(
                f"bev_encoder.channels must double the {full} channels of its input at each step (view_transformer."
                "context_channels, twice with temporal.previous_bev); "
                f"found {half}, {quarter}"
            )
        if any(n % 4 for n in config.grid.shape[:2]):
            raise ValueError(f"grid.shape needs x and y divisible by 4; found {config.grid.shape}")
        unit = config.unit
        if config.bev_encoder.blocks == "residual":
            self.down1 = nn.Sequential(ResidualBlock(full, unit, "stride 2"), ResidualBlock(half, unit, "unit"))
            self.down2 = nn.Sequential(ResidualBlock(half, unit, "down-sample"), ResidualBlock(quarter, unit, "unit"))
        else:
            self.down1 = nn.Sequential(build_unit(full, half, unit, stride=2), build_unit(half, half, unit))
            self.down2 = nn.Sequential(build_unit(half, quarter, unit, stride=2), build_unit(quarter, quarter, unit))
        self.up2 = UpStep(half, unit)
        self.middle = build_unit(half, half, unit)
        self.up1 = UpStep(full, unit)
        self.out = build_unit(full, config.bev_encoder.out_channels, unit)

    def forward(self, x: Tensor) -> Tensor:
        half = self.down1(x)
        half = self.middle(self.up2(self.down2(half), half))
        return self.out(self.up1(half, x))

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        half = emit_all(self.down1, graph, f"{name}.down1", x)
        quarter = emit_all(self.down2, graph, f"{name}.down2", half)
        half = self.up2.emit(graph, f"{name}.up2", quarter, half)
        half = self.middle.emit(graph, f"{name}.middle", half)
        return self.out.emit(graph, f"{name}.out", self.up1.emit(graph, f"{name}.up1", half, x))
