"""The network: image encoder → view transformer → BEV encoder → heads."""

from torch import Tensor, nn

from .bev_encoder import BevEncoder
from .config import Config
from .graph_builder import GraphBuilder
from .heads import DetectionHead, OccupancyHead
from .image_encoder import ImageEncoder
from .view_transformer import ViewTransformer


class Network(nn.Module):
    """Surround images to voxel logits and detection maps."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.image_encoder = ImageEncoder(config.within("image_encoder"))
        self.view_transformer = ViewTransformer(config.image_encoder.out_channels, config)
        self.bev_encoder = BevEncoder(config.within("bev_encoder"))
        self.occupancy_head = OccupancyHead(config.bev_encoder.out_channels, config)
        self.detection_head = DetectionHead(config.bev_encoder.out_channels, config.within("heads"))

    def forward(
        self, images: Tensor, rays: Tensor, origins: Tensor, camera_mask: Tensor | None = None
    ) -> dict[str, Tensor]:
        """images [B, N, 3, H, W] (normalised), rays [B, N, h, w, 3] and origins [B, N, 3] (m, base frame),
        camera_mask [B, N]: a camera that is False contributes nothing to the grid.

        Returns occupancy_logits [B, nz·K, ny, nx], depth_logits [B, N, D, h, w] and the detection head's maps.
        """
        features = self.image_encoder(images.flatten(0, 1))
        bev, depth_logits = self.view_transformer(features, rays, origins, camera_mask)
        bev = self.bev_encoder(bev)
        return {
            "occupancy_logits": self.occupancy_head(bev),
            "depth_logits": depth_logits,
            **self.detection_head(bev),
        }

    def emit(self, graph: GraphBuilder) -> dict[str, str]:
        """Adds the whole network to a graph whose input is `images`; returns tensor names by output role."""
        graph.module = "image_encoder"
        x = self.image_encoder.emit(graph, "image_encoder", "images")
        graph.module = "view_transformer"
        x = self.view_transformer.emit(graph, "view_transformer", x)
        graph.module = "bev_encoder"
        x = self.bev_encoder.emit(graph, "bev_encoder", x)
        graph.module = "heads"
        return {
            **self.occupancy_head.emit(graph, "occupancy_head", x),
            **self.detection_head.emit(graph, "detection_head", x),
        }


def build_network(config: Config) -> Network:
    return Network(config)
