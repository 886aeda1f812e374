"""Where the published code of the 4D-stereo networks keeps what ours have (bdc_training.published_names)."""

from .depth_network import CameraGate, DepthNetwork, SpatialPyramid
from .published_pairs import NORM, Pairs, conv_pairs, pairs
from .real_layers import BasicBlock


def depth_network(network: DepthNetwork, ours: str, theirs: str) -> Pairs:
    yield from conv_pairs(network.reduce, f"{ours}.reduce", f"{theirs}.reduce_conv.0", f"{theirs}.reduce_conv.1")
    yield from pairs(f"{ours}.parameters_norm", f"{theirs}.bn", NORM)
    for kind in ("context", "depth"):
        gate = getattr(network, f"{kind}_gate")
        yield from _camera_gate(gate, f"{ours}.{kind}_gate", f"{theirs}.{kind}_mlp", f"{theirs}.{kind}_se")
    yield from conv_pairs(network.context, f"{ours}.context", f"{theirs}.context_conv", None)
    for i, layer in enumerate(network.volume):
        place = f"{theirs}.cost_volumn_net"
        yield from conv_pairs(layer, f"{ours}.volume.{i}", f"{place}.{2 * i}", f"{place}.{2 * i + 1}")
    for i, module in enumerate(network.depth):
        places = f"{ours}.depth.{i}", f"{theirs}.depth_conv.{i}"
        if isinstance(module, BasicBlock):
            yield from _basic_block(module, *places)
        elif isinstance(module, SpatialPyramid):
            yield from _spatial_pyramid(module, *places)
        else:
            yield from conv_pairs(module, *places, None)


def _camera_gate(gate: CameraGate, ours: str, perceptron: str, excitation: str) -> Pairs:
    names = (f"{perceptron}.fc1", f"{perceptron}.fc2", f"{excitation}.conv_reduce", f"{excitation}.conv_expand")
    for i, (layer, name) in enumerate(zip(gate.layers, names, strict=True)):
        yield from conv_pairs(layer, f"{ours}.layers.{i}", name, None)


def _basic_block(block: BasicBlock, ours: str, theirs: str) -> Pairs:
    for number in (1, 2):
        names = f"{theirs}.conv{number}", f"{theirs}.bn{number}"
        yield from conv_pairs(getattr(block, f"conv{number}"), f"{ours}.conv{number}", *names)
    if block.shortcut is not None:
        yield from conv_pairs(block.shortcut, f"{ours}.shortcut", f"{theirs}.downsample", None)


def _spatial_pyramid(pyramid: SpatialPyramid, ours: str, theirs: str) -> Pairs:
    for i, branch in enumerate(pyramid.branches):
        place = f"{theirs}.aspp{i + 1}"
        yield from conv_pairs(branch, f"{ours}.branches.{i}", f"{place}.atrous_conv", f"{place}.bn")
    place = f"{theirs}.global_avg_pool"
    yield from conv_pairs(pyramid.pooled, f"{ours}.pooled", f"{place}.1", f"{place}.2")
    yield from conv_pairs(pyramid.out, f"{ours}.out", f"{theirs}.conv1", f"{theirs}.bn1")
