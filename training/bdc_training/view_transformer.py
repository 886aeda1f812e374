"""View transformer: lift-splat (arXiv 2008.05711) from camera features to the bird's-eye-view grid."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from . import fused
from .config import Config
from .config_sections import GridConfig
from .convolution import Conv2d
from .graph_builder import GraphBuilder
from .real_layers import norm_prelu


def lift_splat(
    depth: Tensor,
    context: Tensor,
    rays: Tensor,
    origins: Tensor,
    camera_mask: Tensor | None,
    depths: Sequence[float],
    grid: GridConfig,
) -> Tensor:
    """Sums depth · context into the grid's cells, as docs/model-format.md says.

    depth [B, N, D, h, w], context [B, N, C, h, w], rays [B, N, h, w, 3] and origins [B, N, 3] (m, base frame),
    camera_mask [B, N] → [B, C, ny, nx]. Geometry in float64.
    """
    return splat(depth, context, bev_cells(rays, origins, camera_mask, depths, grid), grid)


def splat(depth: Tensor, context: Tensor, cells: Tensor, grid: GridConfig) -> Tensor:
    """The sums of `lift_splat`, whose points lie in `bev_cells`."""
    batch, _, channels = context.shape[:3]
    if cells.shape[2:4] != context.shape[3:]:
        raise ValueError(
            f"expected a ray for each of {tuple(context.shape[3:])} cells; found {tuple(cells.shape[2:4])}"
        )
    nx, ny, _ = grid.shape
    cells = cells.flatten(1, 3)
    depth, context = (x.permute(0, 1, 3, 4, 2).flatten(1, 3) for x in (depth, context))
    if fused.usable_rows(depth, context):
        bev = fused.splat(depth, context, cells, ny * nx)
    else:
        sample, pixel, d = (cells >= 0).nonzero(as_tuple=True)
        values = depth[sample, pixel, d, None] * context[sample, pixel]
        rows = sample * (ny * nx) + cells[sample, pixel, d].long()
        bev = values.new_zeros(batch * ny * nx, channels).index_add(0, rows, values)
    return bev.view(batch, ny, nx, channels).permute(0, 3, 1, 2)


def bev_cells(
    rays: Tensor, origins: Tensor, camera_mask: Tensor | None, depths: Sequence[float], grid: GridConfig
) -> Tensor:
    """Where each depth bin of each feature cell lies: row-major cell of the grid, int32 [B, N, h, w, D]; −1 off it."""
    device = rays.device
    low = torch.tensor(grid.min, dtype=torch.float64, device=device)
    high = torch.tensor(grid.max, dtype=torch.float64, device=device)
    distance = torch.tensor(depths, dtype=torch.float64, device=device)
    inside: Tensor | bool = True
    columns = []
    for axis, count in enumerate(grid.shape):
        at = origins[:, :, None, None, None, axis].double() + distance * rays[..., axis, None].double()
        at = torch.floor((at - low[axis]) / ((high[axis] - low[axis]) / count))
        inside = (at >= 0) & (at < count) & inside
        columns.append(at)
    if camera_mask is not None:
        inside = inside & camera_mask.bool()[:, :, None, None, None]
    return torch.where(inside, columns[1] * grid.shape[0] + columns[0], -1.0).int()


class LiftSplat(nn.Module):
    """What view transformers share: from depth logits and context, which `depth_context` gives, to the grid."""

    def __init__(self, config: Config, depth_context: nn.Module) -> None:
        super().__init__()
        self.depth_context = depth_context
        self.depths = config.view_transformer.depths
        self.context_channels = config.view_transformer.context_channels
        self.grid = config.grid
        self.norm = nn.BatchNorm2d(self.context_channels) if config.view_transformer.batch_norm else None

    def splat(self, both: Tensor, rays: Tensor, origins: Tensor, camera_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Depth logits and context [B·N, D + C, h, w] → (bev [B, C, ny, nx], depth_logits [B, N, D, h, w])."""
        both = both.unflatten(0, rays.shape[:2])
        depth_logits, context = both.split([len(self.depths), self.context_channels], dim=2)
        depth = depth_logits.softmax(2)
        bev = lift_splat(depth, context, rays, origins, camera_mask, self.depths, self.grid)
        return bev if self.norm is None else norm_prelu(bev, self.norm), depth_logits

    def emit_splat(self, graph: GraphBuilder, name: str, logits: str, context: str) -> str:
        depth = graph.add("softmax", f"{name}.depth", [logits])
        bev = graph.add("lift_splat", f"{name}.lift_splat", [depth, context], {"depths": self.depths})
        return bev if self.norm is None else graph.batch_norm(f"{name}.norm", bev, self.norm)


class ViewTransformer(LiftSplat):
    """features [B·N, C₁₆, h, w] → (bev [B, C, ny, nx], depth_logits [B, N, D, h, w]).

    The 1×1 depth/context layer is real.
    """

    def __init__(self, channels: int, config: Config) -> None:
        parts = config.view_transformer
        super().__init__(config, Conv2d(channels, len(parts.depths) + parts.context_channels, 1))

    def forward(self, x: Tensor, rays: Tensor, origins: Tensor, camera_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        return self.splat(self.depth_context(x), rays, origins, camera_mask)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        x = graph.conv2d(f"{name}.depth_context", x, self.depth_context)
        logits, context = graph.split(f"{name}.parts", x, [len(self.depths), self.context_channels])
        return self.emit_splat(graph, name, logits, context)
