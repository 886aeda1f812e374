"""What every unit adds to its body's output."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .graph_builder import GraphBuilder


class Residual(nn.Module):
    """X_f around the body: 2×2 average pool at stride 2; channels repeated to grow, averaged in groups to shrink."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, batch_norm: bool) -> None:
        super().__init__()
        larger, smaller = max(channels_in, channels_out), min(channels_in, channels_out)
        if larger % smaller or stride not in (1, 2):
            raise ValueError(
                "a residual needs stride 1 or 2 and channel counts of which one is a multiple of the other; "
                f"found stride {stride}, {channels_in} → {channels_out} channels"
            )
        self.stride = stride
        self.repeats = channels_out // channels_in
        self.parts = channels_in // channels_out
        self.channels_out = channels_out
        self.norm = nn.BatchNorm2d(channels_out) if batch_norm else None

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 2:
            x = F.avg_pool2d(x, 2)
        if self.repeats > 1:
            x = torch.cat([x] * self.repeats, dim=1)
        elif self.parts > 1:
            x = torch.stack(x.chunk(self.parts, dim=1)).mean(0)
        return x if self.norm is None else self.norm(x)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        if self.stride == 2:
            x = graph.avg_pool2d(f"{name}.pool", x)
        if self.repeats > 1:
            x = graph.add("concat", f"{name}.repeat", [x] * self.repeats)
        elif self.parts > 1:
            parts = graph.split(f"{name}.parts", x, [self.channels_out] * self.parts)
            x = graph.add("average", f"{name}.average", parts)
        return x if self.norm is None else graph.batch_norm(f"{name}.norm", x, self.norm)
