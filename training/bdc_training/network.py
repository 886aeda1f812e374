"""The network: image encoder → view transformer → BEV encoder → heads."""

import torch
from torch import Tensor, nn

from .bdc_bev_encoder import BdcBevEncoder
from .bev_encoder import BevEncoder
from .config import Config
from .flashocc_bev_encoder import FlashOccBevEncoder
from .graph_builder import GraphBuilder
from .heads import DetectionHead, OccupancyHead
from .image_encoder import ImageEncoder
from .previous import Previous
from .published_heads import CentreHead, MlpOccupancyHead
from .resnet_image_encoder import ResNetImageEncoder
from .temporal import TemporalFusion
from .view_transformer import ViewTransformer

# What the configuration's names stand for: the edge network's parts, the published networks', their real twins'.
IMAGE_ENCODERS = {"edge": ImageEncoder, "resnet50": ResNetImageEncoder}
BEV_ENCODERS = {"edge": BevEncoder, "bdc": BdcBevEncoder, "flashocc": FlashOccBevEncoder}
OCCUPANCY_HEADS = {"linear": OccupancyHead, "bdc": MlpOccupancyHead, "flashocc": MlpOccupancyHead}
DETECTION_HEADS = {"shared": DetectionHead, "bdc": CentreHead, "bevdet": CentreHead}


class Network(nn.Module):
    """Surround images to voxel logits, detection maps, or both."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        heads, channels = config.heads, config.bev_encoder.out_channels
        in_heads = config.within("heads")
        self.image_encoder = IMAGE_ENCODERS[config.image_encoder.kind](config.within("image_encoder"))
        self.view_transformer = ViewTransformer(config.image_encoder.out_channels, config)
        self.temporal = TemporalFusion(config) if config.temporal.previous_bev else None
        self.bev_encoder = BEV_ENCODERS[config.bev_encoder.kind](config.within("bev_encoder"))
        self.occupancy_head = (
            None if heads.occupancy == "none" else OCCUPANCY_HEADS[heads.occupancy](channels, in_heads)
        )
        self.detection_head = (
            None if heads.detection == "none" else DETECTION_HEADS[heads.detection](channels, in_heads)
        )

    def forward(
        self,
        images: Tensor,
        rays: Tensor,
        origins: Tensor,
        camera_mask: Tensor | None = None,
        parameters: Tensor | None = None,
        previous: Previous | None = None,
    ) -> dict[str, Tensor]:
        """images [B, N, 3, H, W] (normalised), rays [B, N, h, w, 3] and origins [B, N, 3] (m, base frame),
        camera_mask [B, N]: a camera that is False contributes nothing to the grid; parameters [B, N, 27]
        (bdc_training.calibration).

        A network with a memory sees `previous`, and is as in the first frame without; nothing is learned through it
        (as BEVDet4D has it).

        Returns depth_logits [B, N, D, h, w], and of the heads that there are occupancy_logits [B, nz·K, ny, nx] and the
        detection head's maps.
        """
        bev, depth_logits = self._lift(images, rays, origins, camera_mask, parameters, previous)
        if self.temporal is not None:
            before = None
            if previous is not None:
                with torch.no_grad():
                    before = self.temporal.prepare(self._lift(*previous.inputs)[0])
            bev = self.temporal(self.temporal.prepare(bev), before, previous)
        bev = self.bev_encoder(bev)
        outputs = {"depth_logits": depth_logits}
        if self.occupancy_head is not None:
            outputs["occupancy_logits"] = self.occupancy_head(bev)
        if self.detection_head is not None:
            outputs |= self.detection_head(bev)
        return outputs

    def _lift(
        self,
        images: Tensor,
        rays: Tensor,
        origins: Tensor,
        camera_mask: Tensor | None,
        parameters: Tensor | None,
        previous: Previous | None,
    ) -> tuple[Tensor, Tensor]:
        """One frame's BEV feature [B, C, ny, nx] and depth logits [B, N, D, h, w]."""
        features = self.image_encoder(images.flatten(0, 1))
        return self.view_transformer(features, rays, origins, camera_mask)

    def emit(self, graph: GraphBuilder) -> dict[str, str]:
        """Adds the whole network to a graph whose input is `images`; returns tensor names by output role."""
        graph.module = "image_encoder"
        x = self.image_encoder.emit(graph, "image_encoder", "images")
        graph.module = "view_transformer"
        x = self.view_transformer.emit(graph, "view_transformer", x)
        graph.module = "bev_encoder"
        if self.temporal is not None:
            x = self.temporal.emit(graph, "temporal", x)
        x = self.bev_encoder.emit(graph, "bev_encoder", x)
        graph.module = "heads"
        outputs: dict[str, str] = {}
        if self.occupancy_head is not None:
            outputs |= self.occupancy_head.emit(graph, "occupancy_head", x)
        if self.detection_head is not None:
            outputs |= self.detection_head.emit(graph, "detection_head", x)
        return outputs


def build_network(config: Config) -> Network:
    return Network(config)
