"""View transformer whose depths see two frames: BEVStereo4D's, as BDC-Occ's 4D configurations have it."""

import torch
from torch import Tensor

from .config import Config
from .depth_network import DepthNetwork
from .graph_builder import GraphBuilder
from .previous import Previous
from .stereo import stereo_volume
from .view_transformer import LiftSplat

# Pixels of the image to one cell of the features that are compared: the backbone's first stage.
MATCHING_STRIDE = 4


class StereoViewTransformer(LiftSplat):
    """features [B·N, C₁₆, h, w] and a cost volume → (bev [B, C, ny, nx], depth_logits [B, N, D, h, w])."""

    def __init__(self, channels: int, config: Config) -> None:
        parts = config.view_transformer
        depth_network = DepthNetwork(channels, len(parts.depths), parts.context_channels, parts.pyramid_channels)
        super().__init__(config, depth_network)
        self.cost_bias = parts.cost_bias

    def cost_volume(
        self,
        matching: Tensor,
        before: Tensor | None,
        parameters: Tensor,
        camera_mask: Tensor | None,
        previous: Previous | None,
    ) -> Tensor:
        """[B·N, D, 4h, 4w] from the features that are compared, [B·N, C₄, 4h, 4w] of both frames; 0 without a frame
        before. Nothing is learned through it."""
        if before is None or previous is None:
            return matching.new_zeros(len(matching), len(self.depths), *matching.shape[2:])
        with torch.no_grad():
            return stereo_volume(
                matching, before, parameters, previous, camera_mask, self.depths, MATCHING_STRIDE, self.cost_bias
            )

    def forward(
        self,
        x: Tensor,
        rays: Tensor,
        origins: Tensor,
        camera_mask: Tensor | None,
        parameters: Tensor,
        volume: Tensor,
    ) -> tuple[Tensor, Tensor]:
        return self.splat(self.depth_context(x, parameters.flatten(0, 1), volume), rays, origins, camera_mask)

    def emit(self, graph: GraphBuilder, name: str, x: str, matching: str) -> str:
        attributes = {"depths": self.depths, "stride": MATCHING_STRIDE, "bias": self.cost_bias}
        volume = graph.add("stereo_cost_volume", f"{name}.cost_volume", [matching], attributes)
        logits, context = self.depth_context.emit(graph, f"{name}.depth_context", x, volume)
        return self.emit_splat(graph, name, logits, context)
