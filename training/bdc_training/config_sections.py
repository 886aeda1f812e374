"""The sections of a network's configuration (bdc_training.config)."""

from dataclasses import dataclass
from typing import Literal

UnitVersion = Literal["V0", "V1", "V2", "V3", "ReActNet", "BBCU", "BiMatting", "BiSRNet"]
Precision = Literal["binary", "binary_inputs", "full"]
SignGradient = Literal["tanh", "quadratic", "clamp"]
BinaryModule = Literal["image_encoder", "bev_encoder", "heads"]
# Pixels of the image to one cell of the image encoder's coarsest stage.
COARSEST_STRIDE = 16


@dataclass(frozen=True)
class TrainedViewConfig:
    """A kind of camera that the data set has: its images' width and height, focal length and principal point, all in
    pixels of these images (pixel centres at whole numbers), and its height above the ground in metres."""

    image: tuple[int, ...]
    focal_length: float
    center: tuple[float, ...]
    height: float

    def __post_init__(self) -> None:
        if {len(self.image), len(self.center)} != {2} or min(*self.image, self.focal_length, self.height) <= 0:
            raise ValueError(
                "image, focal_length, center, height: expected two sizes, a length, two coordinates and a height, all "
                f"above 0 but the coordinates; found {self}"
            )


@dataclass(frozen=True)
class InputConfig:
    """The network's images: pixels, and mean and standard deviation per RGB channel on the 0…255 scale."""

    width: int
    height: int
    camera_names: tuple[str, ...]
    mean: tuple[float, ...] = (123.675, 116.28, 103.53)
    std: tuple[float, ...] = (58.395, 57.12, 57.375)
    # What the model file says that it was trained with, the kind that most cameras are first: rigs that look otherwise
    # get virtual cameras like it. Empty: unknown.
    trained_views: tuple[TrainedViewConfig, ...] = ()

    def __post_init__(self) -> None:
        for side, value in (("width", self.width), ("height", self.height)):
            if value <= 0 or value % COARSEST_STRIDE:
                raise ValueError(f"{side}: expected a multiple of {COARSEST_STRIDE}; found {value}")
        if not self.camera_names:
            raise ValueError("camera_names: expected at least one")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError(f"mean, std: expected three numbers each, std above 0; found {self.mean}, {self.std}")


@dataclass(frozen=True)
class GridConfig:
    """Voxels in the base frame: metres, and their number along x, y, z."""

    min: tuple[float, ...]
    max: tuple[float, ...]
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if {len(self.min), len(self.max), len(self.shape)} != {3}:
            raise ValueError(f"min, max, shape: expected three numbers each; found {self.min} {self.max} {self.shape}")
        if any(low >= high for low, high in zip(self.min, self.max, strict=True)):
            raise ValueError(f"min: expected below max on every axis; found {self.min} and {self.max}")
        if any(n < 1 for n in self.shape):
            raise ValueError(f"shape: expected at least one voxel on every axis; found {self.shape}")


@dataclass(frozen=True)
class UnitConfig:
    """The unit everywhere in the network: a version of BDC (bdc_training.units) or one that the paper compares it with
    (bdc_training.other_units)."""

    version: UnitVersion = "V3"
    # What the 1×1 and refinement layers see: signs (W1A1), real activations (W1A32), or what the unit's authors
    # published (real for BDC, signs for BiMatting; the others have no such layer).
    pointwise_input: Literal["sign", "real", "published"] = "real"
    # "full" makes the full-precision twin: the same topology with plain convolutions and no signs. "binary_inputs" has
    # signs of activations only: a step on the way from the twin to the binary network, which can't be exported.
    precision: Precision = "binary"
    # What stands in for the sign's derivative in BDC's units (bdc_training.binary.Binarization).
    gradient: SignGradient = "tanh"
    # Of BDC's units: a residual round each convolution of the body too, as in Bi-Real Net (arXiv 1808.00278).
    inner_shortcuts: bool = False
    # Of V0 to V3 and ReActNet; BiMatting always has it, BBCU and BiSRNet never.
    batch_norm: bool = True
    residual_batch_norm: bool = False
    reduction: int = 1
    # Binary 1×1 layers behind the 3×3 of V1, V2 and V3, each with its RPReLU; the paper's unit has one.
    pointwise_layers: int = 1

    def __post_init__(self) -> None:
        if self.pointwise_layers < 1:
            raise ValueError(f"pointwise_layers: expected 1 or more; found {self.pointwise_layers}")


@dataclass(frozen=True)
class ImageEncoderConfig:
    """The edge network's (bdc_training.image_encoder).

    Channels of the real stem's first convolution, and of the stages at strides 4, 8 and 16.
    """

    stem: int
    channels: tuple[int, ...]
    # Units at the last stage behind its down-sampling one.
    depth: int = 2
    # Pixels of the image to one cell of the output: 16, or 8 by a way back up from the last stage.
    stride: Literal[8, 16] = COARSEST_STRIDE
    kind: Literal["edge"] = "edge"

    @property
    def out_channels(self) -> int:
        return self.channels[-1] if self.stride == COARSEST_STRIDE else self.channels[-2]


@dataclass(frozen=True)
class ResNetEncoderConfig:
    """ResNet-50 and a neck, as BDC-Occ, FlashOcc and BEVDet have it (bdc_training.resnet_image_encoder)."""

    kind: Literal["resnet50"]
    out_channels: int = 256
    # Units (BDC-Occ's configuration T), or real convolutions (B, FlashOcc, BEVDet).
    neck: Literal["units", "real"] = "units"
    # Channels of the first convolution; the outputs have 16 and 32 times as many.
    width: int = 64
    stride: Literal[16] = COARSEST_STRIDE

    def __post_init__(self) -> None:
        if self.out_channels < 1 or (16 * self.width) % self.out_channels:
            raise ValueError(
                f"out_channels: expected {16 * self.width} halved a number of times; found {self.out_channels}"
            )


@dataclass(frozen=True)
class ViewTransformerConfig:
    """Depth bins `first + i·step` (m, along the optical axis) and context channels."""

    first_depth: float
    depth_step: float
    depth_bins: int
    context_channels: int
    # Of the grid's cells; the published networks have none.
    batch_norm: bool = True
    kind: Literal["lift_splat"] = "lift_splat"

    def __post_init__(self) -> None:
        if self.first_depth <= 0 or self.depth_step <= 0 or self.depth_bins < 1:
            raise ValueError(
                "first_depth, depth_step, depth_bins: expected numbers above 0; "
                f"found {self.first_depth}, {self.depth_step}, {self.depth_bins}"
            )

    @property
    def depths(self) -> list[float]:
        return [self.first_depth + i * self.depth_step for i in range(self.depth_bins)]


@dataclass(frozen=True)
class StereoViewTransformerConfig:
    """BEVStereo4D's (bdc_training.stereo_view_transformer), which compares images with the frame's before; only behind
    a ResNet. Depth bins (m, along the optical axis) at even ratios: spacing-increasing discretisation."""

    kind: Literal["stereo"]
    first_depth: float
    last_depth: float
    depth_bins: int
    context_channels: int
    # Of a depth at which the frame before doesn't show what this one does.
    cost_bias: float = 5.0
    # Of each branch of the depth network's spatial pyramid.
    pyramid_channels: int = 96
    batch_norm: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.first_depth < self.last_depth or self.depth_bins < 2:
            raise ValueError(
                "first_depth, last_depth, depth_bins: expected 0 < first < last and two bins or more; "
                f"found {self.first_depth}, {self.last_depth}, {self.depth_bins}"
            )

    @property
    def depths(self) -> list[float]:
        ratio = self.last_depth / self.first_depth
        return [self.first_depth * ratio ** (i / (self.depth_bins - 1)) for i in range(self.depth_bins)]


@dataclass(frozen=True)
class TemporalConfig:
    """What the network knows of the frame before (bdc_training.temporal)."""

    # Whether its BEV feature, moved to where the robot stands now, comes before this frame's: twice the context's
    # channels go into the BEV encoder.
    previous_bev: bool = False
    # What prepares the feature that is kept and concatenated: nothing, a residual block of units, or one of real 3×3
    # convolutions (the published networks and their real twins).
    pre_process: Literal["none", "units", "real"] = "none"

    def __post_init__(self) -> None:
        if self.pre_process != "none" and not self.previous_bev:
            raise ValueError(f"pre_process: expected none without previous_bev; found {self.pre_process}")


@dataclass(frozen=True)
class BevEncoderConfig:
    """The edge network's (bdc_training.bev_encoder).

    Channels at 1/2 and 1/4 of the grid's resolution, and at the output (the grid's full one).
    """

    channels: tuple[int, ...]
    out_channels: int
    # What the way down is made of: units, or the residual blocks of the published configuration (about twice the cost).
    blocks: Literal["unit", "residual"] = "unit"
    kind: Literal["edge"] = "edge"

    def __post_init__(self) -> None:
        if len(self.channels) != 2:
            raise ValueError(f"channels: expected two numbers; found {self.channels}")


@dataclass(frozen=True)
class PublishedBevEncoderConfig:
    """BDC-Occ's, made of units (bdc_training.bdc_bev_encoder), or FlashOcc's and BEVDet's of real convolutions
    (bdc_training.flashocc_bev_encoder): 2, 4 and 8 times the context's channels at 1/2, 1/4 and 1/8."""

    kind: Literal["bdc", "flashocc"]
    out_channels: int = 256


@dataclass(frozen=True)
class HeadsConfig:
    """Which heads there are (bdc_training.heads, bdc_training.published_heads)."""

    # One real 1×1 (the edge network); a unit and a real MLP (BDC-Occ); a real 3×3 and MLP (FlashOcc).
    occupancy: Literal["linear", "bdc", "flashocc", "none"] = "linear"
    # Two units for all maps (the edge network); a unit a map (BDC-Det); real 3×3 convolutions (BEVDet).
    detection: Literal["shared", "bdc", "bevdet", "none"] = "shared"

    def __post_init__(self) -> None:
        if self.occupancy == self.detection == "none":
            raise ValueError("occupancy, detection: expected at least one head; found none and none")


@dataclass(frozen=True)
class DetectionConfig:
    score_threshold: float = 0.1
    nms_threshold: float = 0.2
    max_candidates: int = 500
