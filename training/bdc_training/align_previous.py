"""The previous frame's BEV feature where the robot stands now (BEVDet4D, arXiv 2203.17054, section 3.2)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .config_sections import GridConfig


def align_previous(previous: Tensor, motion: Tensor, grid: GridConfig) -> Tensor:
    """Bilinear, zero outside of what the previous frame covered: [N, C, ny, nx] → the same.

    `motion` [N, 2, 3] takes (x, y, 1) of the base frame now into the base frame then, metres. The map spans the grid,
    whatever its number of cells.
    """
    rows, columns = previous.shape[-2:]
    low, high = (torch.tensor(corner[:2], dtype=torch.float64) for corner in (grid.min, grid.max))
    size = (high - low) / torch.tensor([columns, rows])
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    centres = low + (torch.stack([x, y], -1) + 0.5) * size
    points = torch.cat([centres, torch.ones(rows, columns, 1, dtype=torch.float64)], -1)
    then = torch.einsum("nij,hwj->nhwi", motion.cpu().double(), points)
    # grid_sample counts from −1 to 1 between the map's outer edges.
    places = ((then - low) / (high - low) * 2 - 1).to(previous)
    return F.grid_sample(previous, places, mode="bilinear", padding_mode="zeros", align_corners=False)
