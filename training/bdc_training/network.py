"""The network: image encoder → view transformer → BEV encoder → heads."""

from typing import NamedTuple

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
from .stereo_view_transformer import StereoViewTransformer
from .temporal import TemporalFusion
from .view_transformer import ViewTransformer

# What the configuration's names stand for: the edge network's parts, the published networks', their real twins'.
IMAGE_ENCODERS = {"edge": ImageEncoder, "resnet50": ResNetImageEncoder}
VIEW_TRANSFORMERS = {"lift_splat": ViewTransformer, "stereo": StereoViewTransformer}
BEV_ENCODERS = {"edge": BevEncoder, "bdc": BdcBevEncoder, "flashocc": FlashOccBevEncoder}
OCCUPANCY_HEADS = {"linear": OccupancyHead, "bdc": MlpOccupancyHead, "flashocc": MlpOccupancyHead}
DETECTION_HEADS = {"shared": DetectionHead, "bdc": CentreHead, "bevdet": CentreHead}


class _Lifted(NamedTuple):
    # What is kept of the frame, [B, C, ny, nx].
    bev: Tensor
    # [B, N, D, h, w]
    depth_logits: Tensor
    # Features that stereo compares between frames, [B·N, C₄, H/4, W/4].
    matching: Tensor | None


class Network(nn.Module):
    """Surround images to voxel logits, detection maps, or both."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        heads, channels = config.heads, config.bev_encoder.out_channels
        in_heads = config.within("heads")
        self.image_encoder = IMAGE_ENCODERS[config.image_encoder.kind](config.within("image_encoder"))
        view_transformer = VIEW_TRANSFORMERS[config.view_transformer.kind]
        self.view_transformer = view_transformer(config.image_encoder.out_channels, config)
        self.has_memory = config.frames_before > 0
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
        frame = (images, rays, origins, camera_mask, parameters, previous)
        before = None
        if previous is not None and self.has_memory:
            with torch.no_grad():
                before = self._lift(*previous.inputs)
        bev, depth_logits, _ = self._lift(*frame, None if before is None else before.matching)
        if self.temporal is not None:
            bev = self.temporal(bev, None if before is None else before.bev, previous)
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
        matching_before: Tensor | None = None,
    ) -> "_Lifted":
        """One frame. `matching_before`: what stereo compares it with, if that was computed already."""
        images = images.flatten(0, 1)
        matching = None
        geometry = rays, origins, camera_mask
        if isinstance(self.view_transformer, StereoViewTransformer):
            if parameters is None:
                raise ValueError("a stereo network needs its cameras' parameters (bdc_training.calibration)")
            features, matching = self.image_encoder.with_matching(images)
            if previous is not None and matching_before is None:
                with torch.no_grad():
                    matching_before = self.image_encoder.matching(previous.images.flatten(0, 1))
            volume = self.view_transformer.cost_volume(matching, matching_before, parameters, camera_mask, previous)
            bev, depth_logits = self.view_transformer(features, *geometry, parameters, volume)
        else:
            bev, depth_logits = self.view_transformer(self.image_encoder(images), *geometry)
        return _Lifted(bev if self.temporal is None else self.temporal.prepare(bev), depth_logits, matching)

    def emit(self, graph: GraphBuilder) -> dict[str, str]:
        """Adds the whole network to a graph whose input is `images`; returns tensor names by output role."""
        graph.module = "image_encoder"
        if isinstance(self.view_transformer, StereoViewTransformer):
            features = self.image_encoder.emit_with_matching(graph, "image_encoder", "images")
        else:
            features = (self.image_encoder.emit(graph, "image_encoder", "images"),)
        graph.module = "view_transformer"
        x = self.view_transformer.emit(graph, "view_transformer", *features)
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
