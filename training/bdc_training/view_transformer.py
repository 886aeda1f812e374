"""View transformer: lift-splat (arXiv 2008.05711) from camera features to the bird's-eye-view grid."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .config import Config, GridConfig
from .graph_builder import GraphBuilder


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
    batch, _, channels = context.shape[:3]
    device = context.device
    low = torch.tensor(grid.min, dtype=torch.float64, device=device)
    high = torch.tensor(grid.max, dtype=torch.float64, device=device)
    shape = torch.tensor(grid.shape, dtype=torch.float64, device=device)
    distance = torch.tensor(depths, dtype=torch.float64, device=device).view(-1, 1, 1, 1)
    points = origins.double()[:, :, None, None, None] + distance * rays.double()[:, :, None]
    cells = torch.floor((points - low) / ((high - low) / shape))
    inside = ((cells >= 0) & (cells < shape)).all(-1)
    if camera_mask is not None:
        inside &= camera_mask.bool()[:, :, None, None, None]
    b, n, d, i, j = inside.nonzero(as_tuple=True)
    x, y = cells[b, n, d, i, j, :2].long().unbind(-1)
    nx, ny, _ = grid.shape
    values = depth[b, n, d, i, j, None] * context.permute(0, 1, 3, 4, 2)[b, n, i, j]
    bev = values.new_zeros(batch * ny * nx, channels).index_add(0, (b * ny + y) * nx + x, values)
    return bev.view(batch, ny, nx, channels).permute(0, 3, 1, 2).contiguous()


class ViewTransformer(nn.Module):
    """features [B·N, C₁₆, h, w] → (bev [B, C, ny, nx], depth_logits [B, N, D, h, w]).

    The 1×1 depth/context layer is real.
    """

    def __init__(self, channels: int, config: Config) -> None:
        super().__init__()
        self.depths = config.view_transformer.depths
        self.context_channels = config.view_transformer.context_channels
        self.grid = config.grid
        self.depth_context = nn.Conv2d(channels, len(self.depths) + self.context_channels, 1)
        self.norm = nn.BatchNorm2d(self.context_channels)

    def forward(self, x: Tensor, rays: Tensor, origins: Tensor, camera_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        both = self.depth_context(x).unflatten(0, rays.shape[:2])
        depth_logits, context = both.split([len(self.depths), self.context_channels], dim=2)
        depth = depth_logits.softmax(2)
        bev = lift_splat(depth, context, rays, origins, camera_mask, self.depths, self.grid)
        return self.norm(bev), depth_logits

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        x = graph.conv2d(f"{name}.depth_context", x, self.depth_context)
        logits, context = graph.split(f"{name}.parts", x, [len(self.depths), self.context_channels])
        depth = graph.add("softmax", f"{name}.depth", [logits])
        bev = graph.add("lift_splat", f"{name}.lift_splat", [depth, context], {"depths": self.depths})
        return graph.batch_norm(f"{name}.norm", bev, self.norm)
