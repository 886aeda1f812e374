"""Where the published code keeps what our networks have: its parameters' names by ours.

The published networks are mmdet3d detectors; BDC-Occ's and BDC-Det's layers are named as in
github.com/zzk785089755/BDC.
"""

from torch import nn

from .bdc_bev_encoder import BdcBevEncoder
from .binary import BinaryConvBlock, SignActivation
from .blocks import ChannelIncrease, ChannelReduction, ResidualBlock, UpSample
from .depth_network import DepthNetwork
from .network import Network
from .published_heads import CentreHead, MlpOccupancyHead
from .published_pairs import NORM, Pairs, conv_pairs, pairs
from .published_stereo_names import depth_network
from .real_layers import ConvLayer
from .resnet import Bottleneck
from .resnet_image_encoder import ResNetImageEncoder
from .units import BDCUnit


def published_names(network: Network) -> dict[str, str]:
    """The published name of every entry of the network's state dict.

    @raises ValueError for a network that the published code can't have written.
    """
    encoder, bev = network.image_encoder, network.bev_encoder
    # FlashOcc's and BEVDet's bilinear enlargements are others than the engine's.
    if not (isinstance(encoder, ResNetImageEncoder) and isinstance(bev, BdcBevEncoder)):
        raise ValueError(
            "import needs BDC-Occ's or BDC-Det's network: image_encoder.kind resnet50, bev_encoder.kind bdc"
        )
    names = dict(_image_encoder(encoder))
    depth, place = network.view_transformer.depth_context, "img_view_transformer.depth_net"
    if isinstance(depth, DepthNetwork):
        names |= dict(depth_network(depth, "view_transformer.depth_context", place))
    else:
        names |= dict(pairs("view_transformer.depth_context", place, ("weight", "bias")))
    if network.temporal is not None and isinstance(network.temporal.pre_process, ResidualBlock):
        names |= dict(
            _residual_block(network.temporal.pre_process, "temporal.pre_process", "pre_process_net.layers.0.0")
        )
    names |= dict(_bdc_bev_encoder(bev))
    if isinstance(network.occupancy_head, MlpOccupancyHead):
        names |= dict(_occupancy_head(network.occupancy_head))
    if isinstance(network.detection_head, CentreHead):
        names |= dict(_detection_head(network.detection_head))
    missing = sorted(network.state_dict().keys() - names.keys())
    if missing:
        raise ValueError(f"import knows no published name of {', '.join(missing)}")
    return names


def _rprelu(ours: str, theirs: str) -> Pairs:
    yield f"{ours}.bias_in", f"{theirs}.pr_bias0.bias"
    yield f"{ours}.slope", f"{theirs}.pr_prelu.weight"
    yield f"{ours}.bias_out", f"{theirs}.pr_bias1.bias"


def _block(block: BinaryConvBlock, ours: str, sequence: str, first: int) -> Pairs:
    """Convolution, norm and activation are neighbours in a Sequential, an Identity where there is no norm."""
    yield f"{ours}.conv.weight", f"{sequence}.{first}.weight"
    if block.norm is not None:
        yield from pairs(f"{ours}.norm", f"{sequence}.{first + 1}", NORM)
    if block.activation is not None:
        yield from _rprelu(f"{ours}.activation", f"{sequence}.{first + 2}")


def _unit(unit: nn.Module, ours: str, theirs: str) -> Pairs:
    if not isinstance(unit, BDCUnit) or unit.version not in ("V0", "V3") or unit.spatial.sign is None:
        raise ValueError(
            "import knows the published names of BDC (V3) and BiSRNet units; choose unit.version V3 or BiSRNet"
        )
    yield from _sign(unit.spatial.sign, f"{ours}.spatial.sign", theirs)
    if unit.pointwise.sign is not None:
        raise ValueError(
            "import: the published 1×1 layers see real input; choose unit.pointwise_input published or real"
        )
    yield from _block(unit.spatial, f"{ours}.spatial", f"{theirs}.binary_conv_relu", 0)
    yield from _block(unit.pointwise, f"{ours}.pointwise", f"{theirs}.binary_conv_relu", 3)
    yield f"{ours}.refinement.squeeze.conv.weight", f"{theirs}.se_block.fc.0.weight"
    yield from _rprelu(f"{ours}.refinement.squeeze.activation", f"{theirs}.se_block.fc.1")
    yield f"{ours}.refinement.expand.conv.weight", f"{theirs}.se_block.fc.2.weight"
    if unit.residual.norm is not None:
        yield from pairs(f"{ours}.residual.norm", f"{theirs}.bn_fp", NORM)


def _sign(sign: SignActivation, ours: str, theirs: str) -> Pairs:
    yield f"{ours}.scale", f"{theirs}.move0.k"
    yield f"{ours}.bias", f"{theirs}.move0.b"
    yield f"{ours}.beta", f"{theirs}.binary_activation.beta"


def _module(module: nn.Module, ours: str, theirs: str) -> Pairs:
    """A unit, or a module kind of two."""
    if isinstance(module, ChannelIncrease | ChannelReduction | UpSample):
        for i, unit in enumerate(module.units):
            yield from _unit(unit, f"{ours}.units.{i}", f"{theirs}.biconv_{i + 1}")
    else:
        yield from _unit(module, ours, theirs)


def _image_encoder(encoder: ResNetImageEncoder) -> Pairs:
    ours, theirs = "image_encoder.backbone", "img_backbone"
    yield from conv_pairs(encoder.backbone.stem, f"{ours}.stem", f"{theirs}.conv1", f"{theirs}.bn1")
    for i, stage in enumerate(encoder.backbone.stages):
        for j, block in enumerate(stage):
            yield from _bottleneck(block, f"{ours}.stages.{i}.{j}", f"{theirs}.layer{i + 1}.{j}")
    for i, lateral in enumerate(encoder.laterals):
        for j, step in enumerate(lateral):
            place = f"image_encoder.laterals.{i}.{j}"
            if isinstance(step, ConvLayer):
                yield from conv_pairs(step, place, f"img_neck.lateral_convs.{i}.conv", None)
            else:
                yield from _module(step, place, f"img_neck.lateral_convs.{i}.l_conv_{i}_{j}")
    if isinstance(encoder.out, ConvLayer):
        yield from conv_pairs(encoder.out, "image_encoder.out", "img_neck.fpn_convs.0.conv", None)
    else:
        yield from _unit(encoder.out, "image_encoder.out", "img_neck.fpn_convs.0")


def _bottleneck(block: Bottleneck, ours: str, theirs: str) -> Pairs:
    for number in (1, 2, 3):
        layer = getattr(block, f"conv{number}")
        yield from conv_pairs(layer, f"{ours}.conv{number}", f"{theirs}.conv{number}", f"{theirs}.bn{number}")
    if block.shortcut is not None:
        yield from conv_pairs(block.shortcut, f"{ours}.shortcut", f"{theirs}.downsample.0", f"{theirs}.downsample.1")


def _bdc_bev_encoder(bev: BdcBevEncoder) -> Pairs:
    for i, stage in enumerate(bev.stages):
        for j, block in enumerate(stage):
            yield from _residual_block(block, f"bev_encoder.stages.{i}.{j}", f"img_bev_encoder_backbone.layers.{i}.{j}")
    neck = "img_bev_encoder_neck"
    for i, module in enumerate(bev.up):
        yield from _module(module, f"bev_encoder.up.{i}", f"{neck}.up.{i}")
    # Its ReLU is a place of its own.
    yield from conv_pairs(bev.fuse[0], "bev_encoder.fuse.0", f"{neck}.conv.0", f"{neck}.conv.1")
    yield from _unit(bev.fuse[1], "bev_encoder.fuse.1", f"{neck}.conv.3")
    for i, module in enumerate(bev.out):
        yield from _module(module, f"bev_encoder.out.{i}", f"{neck}.up2.{i}")


def _residual_block(block: ResidualBlock, ours: str, theirs: str) -> Pairs:
    yield from _module(block.first, f"{ours}.first", f"{theirs}.conv1")
    yield from _unit(block.second, f"{ours}.second", f"{theirs}.conv2")
    if block.shortcut is not None:
        yield from _module(block.shortcut, f"{ours}.shortcut", f"{theirs}.downsample")
    yield from _rprelu(f"{ours}.activation", f"{theirs}.relu")


def _occupancy_head(head: MlpOccupancyHead) -> Pairs:
    yield from _unit(head.first, "occupancy_head.first", "occ_head.final_conv")
    yield from pairs("occupancy_head.hidden", "occ_head.predicter.0", ("weight", "bias"))
    yield from pairs("occupancy_head.logits", "occ_head.predicter.2", ("weight", "bias"))


def _detection_head(head: CentreHead) -> Pairs:
    for i, module in enumerate(head.shared):
        yield from _module(module, f"detection_head.shared.{i}", f"pts_bbox_head.shared_conv.shared_conv_{i}")
    for role, layer in head.layers.items():
        place = f"pts_bbox_head.task_heads.0.{role}"
        yield from _unit(layer, f"detection_head.layers.{role}", f"{place}.0")
        yield from pairs(f"detection_head.maps.{role}", f"{place}.1", ("weight", "bias"))
