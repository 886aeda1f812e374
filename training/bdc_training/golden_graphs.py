"""Graphs of single operations that have a golden fixture: every operation of docs/model-format.md, at awkward sizes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from .calibration import camera_parameters
from .graph_builder import GraphBuilder, pack_signs

Array = np.ndarray


@dataclass
class GoldenGraph:
    """Inputs by name, and the names of the values to compare by role."""

    inputs: dict[str, Array]
    graph: GraphBuilder = field(default_factory=GraphBuilder)
    outputs: dict[str, str] = field(default_factory=dict)
    # (rays [N, h, w, 3], origins [N, 3]) of a graph with lift_splat.
    rig: tuple[Array, Array] | None = None
    # [N, 27] of a graph that uses the calibration.
    parameters: Array | None = None
    grid: dict[str, Any] | None = None


def normal(random: np.random.Generator, *shape: int) -> Array:
    return random.standard_normal(shape).astype(np.float32)


def one(
    op: str,
    x: Array | list[Array],
    tensors: dict[str, Array] | None = None,
    attributes: dict[str, Any] | None = None,
    roles: tuple[str, ...] = ("output",),
) -> GoldenGraph:
    """A graph of one operation."""
    arrays = x if isinstance(x, list) else [x]
    golden = GoldenGraph({f"x{i}": array for i, array in enumerate(arrays)})
    names = [f"y{i}" for i in range(len(roles))]
    golden.graph.add(op, "operation", list(golden.inputs), attributes, tensors, names)
    golden.outputs = dict(zip(roles, names, strict=True))
    return golden


def signed_conv(
    random: np.random.Generator,
    shape: tuple[int, int, int, int],
    out_channels: int,
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (1, 1),
) -> GoldenGraph:
    """sign → binary convolution with scale 1 and no bias: its outputs are integers and must be met exactly."""
    channels = shape[1]
    x = normal(random, *shape)
    threshold = normal(random, channels) * 0.3
    x[0, :, 0, 0] = threshold  # On the threshold, both directions say +1.
    x[0, 0, -1, -1] = np.nan
    direction = random.choice(np.array([-1, 1], dtype=np.int8), channels)
    threshold[-1] = -np.inf * direction[-1]
    golden = GoldenGraph({"x": x})
    golden.graph.add("sign", "bits", ["x"], tensors={"threshold": threshold, "direction": direction})
    weight = pack_signs(torch.from_numpy(normal(random, out_channels, channels, *kernel)))
    attributes = {"in_channels": channels, "stride": list(stride), "padding": list(padding)}
    _add_exact_and_scaled(golden, random, "bits", weight, attributes)
    return golden


def _add_exact_and_scaled(
    golden: GoldenGraph, random: np.random.Generator, x: str, weight: np.ndarray, attributes: dict[str, Any]
) -> None:
    """The outputs of a binary convolution: with scale 1 and no bias, and with both."""
    channels = len(weight)
    tensors = {"weight": weight, "scale": np.ones(channels, dtype=np.float32)}
    golden.graph.add("binary_conv2d", "exact", [x], attributes, tensors)
    tensors = {"weight": weight, "scale": normal(random, channels), "bias": normal(random, channels)}
    golden.graph.add("binary_conv2d", "scaled", [x], attributes, tensors)
    golden.outputs = {"exact": "exact", "scaled": "scaled"}


def real_input_conv(
    random: np.random.Generator, shape: tuple[int, int, int, int], kernel: int, stride: int = 1
) -> GoldenGraph:
    channels, out_channels = shape[1], 13
    tensors = {
        "weight": pack_signs(torch.from_numpy(normal(random, out_channels, channels, kernel, kernel))),
        "scale": normal(random, out_channels),
        "bias": normal(random, out_channels),
    }
    attributes = {"in_channels": channels, "stride": [stride] * 2, "padding": [kernel // 2] * 2}
    return one("binary_conv2d", normal(random, *shape), tensors, attributes)


def int8_input_conv(random: np.random.Generator, shape: tuple[int, int, int, int]) -> GoldenGraph:
    """W1A8 with scale 1 and no bias, to be met exactly, and with both; values beyond ±127, ties, NaN."""
    channels, out_channels, activation_scale = shape[1], 13, 2.0**-5
    x = normal(random, *shape)
    x[0, :, 0, 0] = (np.arange(channels) - 3.5) * activation_scale  # halfway: to the even one
    x[0, :2, -1, -1] = (9.0, -9.0)
    x[0, 2, -1, -1] = np.nan
    golden = GoldenGraph({"x": x})
    weight = pack_signs(torch.from_numpy(normal(random, out_channels, channels, 1, 1)))
    attributes = {"in_channels": channels, "stride": [1, 1], "padding": [0, 0], "activation_scale": activation_scale}
    _add_exact_and_scaled(golden, random, "x", weight, attributes)
    return golden


def conv(random: np.random.Generator, kernel: int, stride: int, bias: bool) -> GoldenGraph:
    tensors = {"weight": normal(random, 11, 7, kernel, kernel)}
    if bias:
        tensors["bias"] = normal(random, 11)
    attributes = {"stride": [stride] * 2, "padding": [kernel // 2] * 2}
    return one("conv2d", normal(random, 2, 7, 9, 6), tensors, attributes)


def int8_conv(
    random: np.random.Generator, shape: tuple[int, int, int, int], out_channels: int, kernel: int, stride: int
) -> GoldenGraph:
    """Scale 1 and no bias, to be met exactly; values beyond ±127, ties, NaN."""
    activation_scale = 2.0**-5
    x = normal(random, *shape)
    x[0, :, 0, 0] = (np.arange(shape[1]) - 3.5) * activation_scale  # halfway: to the even one
    x[0, 0, -1, -1], x[0, 1, -1, -1], x[0, 2, -1, -1] = 9.0, -9.0, np.nan
    weight = random.integers(-127, 128, (out_channels, shape[1], kernel, kernel)).astype(np.int8)
    tensors = {"weight": weight, "scale": np.ones(out_channels, np.float32)}
    attributes = {"stride": [stride] * 2, "padding": [kernel // 2] * 2, "activation_scale": activation_scale}
    return one("conv2d", x, tensors, attributes)


def dilated_conv(random: np.random.Generator) -> GoldenGraph:
    attributes = {"stride": [1, 1], "padding": [6, 6], "dilation": [6, 6]}
    return one("conv2d", normal(random, 2, 7, 9, 15), {"weight": normal(random, 5, 7, 3, 3)}, attributes)


def lift_splat(random: np.random.Generator) -> GoldenGraph:
    """Two cameras; some rays are NaN, some points leave the grid on every side."""
    depth = np.abs(normal(random, 2, 5, 3, 4))
    rays, origins = normal(random, 2, 3, 4, 3), normal(random, 2, 3)
    rays[0, 1, 2, 0] = np.nan
    rays[1, :, 0] = np.nan
    golden = GoldenGraph({"depth": depth, "context": normal(random, 2, 6, 3, 4)}, rig=(rays, origins))
    golden.grid = {"min": [-6.0, -4.0, -1.0], "max": [6.0, 4.0, 3.0], "shape": [6, 5, 2]}
    golden.graph.add("lift_splat", "bev", ["depth", "context"], {"depths": [0.5, 1.0, 2.0, 4.0, 7.5]})
    golden.outputs = {"output": "bev"}
    return golden


def forward_camera(yaw: float) -> Array:
    """The parameters of a camera 1.5 m above the base frame's origin; images scaled by 0.5, 3 rows cut off."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    pixels = np.array([[0.5, 0, 0], [0, 0.5, -3], [0, 0, 1]])
    mount = np.array([[sin, 0, cos, 0], [-cos, 0, sin, 0.2], [0, -1, 0, 1.5], [0, 0, 0, 1]])
    return camera_parameters(np.array([[40, 0, 35.5], [0, 40, 29.5], [0, 0, 1]]), pixels, mount)


def two_cameras(random: np.random.Generator) -> GoldenGraph:
    """Features of two cameras against those of the frame before, some of them zeros as behind a ReLU, and what the
    cameras are."""
    golden = GoldenGraph(
        {"x": normal(random, 2, 8, 6, 9)},
        # No lift_splat, no rays.
        rig=(normal(random, 2, 0, 0, 3), normal(random, 2, 3)),
        parameters=np.stack([forward_camera(0.1), forward_camera(2.4)]),
    )
    attributes = {"depths": [1.0, 1.6, 2.6, 4.2, 7.0], "stride": 4, "bias": 5.0}
    x = golden.graph.add("relu", "features", ["x"])
    golden.outputs = {
        "volume": golden.graph.add("stereo_cost_volume", "volume", [x], attributes),
        "parameters": golden.graph.add("camera_parameters", "parameters", [x]),
    }
    return golden


def argmax(random: np.random.Generator) -> GoldenGraph:
    logits = normal(random, 1, 3 * 4, 5, 6)
    logits[0, :, 2, 3] = 1.0  # Equal logits: the lowest class wins.
    logits[0, 5:7, 1, 1] = 9.0
    golden = one("occupancy_argmax", logits, attributes={"classes": 4}, roles=("labels", "confidence"))
    golden.grid = {"min": [-6.0, -5.0, -1.0], "max": [6.0, 5.0, 5.0], "shape": [6, 5, 3]}
    return golden


def per_channel(op: str, *roles: str) -> Callable[[np.random.Generator], GoldenGraph]:
    return lambda r: one(op, normal(r, 2, 5, 3, 4), {role: normal(r, 5) for role in roles})


def plain(op: str) -> Callable[[np.random.Generator], GoldenGraph]:
    return lambda r: one(op, normal(r, 2, 5, 3, 4) * 10)


def upsample(mode: str, factor: int) -> Callable[[np.random.Generator], GoldenGraph]:
    return lambda r: one("upsample2d", normal(r, 2, 3, 4, 5), attributes={"factor": factor, "mode": mode})


def several(op: str, count: int) -> Callable[[np.random.Generator], GoldenGraph]:
    return lambda r: one(op, [normal(r, 2, 5, 3, 4) for _ in range(count)])


GOLDEN_GRAPHS: dict[str, Callable[[np.random.Generator], GoldenGraph]] = {
    "binary-conv2d-1-channel": lambda r: signed_conv(r, (1, 1, 5, 7), 3, (3, 3)),
    "binary-conv2d-63-channels": lambda r: signed_conv(r, (1, 63, 6, 5), 9, (3, 3)),
    "binary-conv2d-64-channels": lambda r: signed_conv(r, (2, 64, 5, 9), 17, (3, 3)),
    "binary-conv2d-65-channels-stride-2": lambda r: signed_conv(r, (1, 65, 7, 8), 6, (3, 3), stride=(2, 2)),
    "binary-conv2d-130-channels": lambda r: signed_conv(r, (1, 130, 4, 6), 33, (3, 3)),
    "binary-conv2d-pointwise": lambda r: signed_conv(r, (1, 100, 5, 5), 24, (1, 1), padding=(0, 0)),
    "binary-conv2d-pointwise-stride-2": lambda r: signed_conv(r, (1, 24, 5, 6), 8, (1, 1), (2, 2), (0, 0)),
    "binary-conv2d-one-pixel": lambda r: signed_conv(r, (1, 24, 1, 1), 5, (3, 3)),
    "binary-conv2d-one-row": lambda r: signed_conv(r, (1, 24, 1, 11), 5, (3, 3)),
    "binary-conv2d-wide": lambda r: signed_conv(r, (1, 256, 1, 70), 4, (3, 3)),
    "binary-conv2d-1x5-no-padding": lambda r: signed_conv(r, (1, 40, 3, 9), 4, (1, 5), padding=(0, 0)),
    "binary-conv2d-real-input-pointwise": lambda r: real_input_conv(r, (2, 70, 4, 5), 1),
    "binary-conv2d-real-input-3x3": lambda r: real_input_conv(r, (1, 24, 4, 5), 3),
    "binary-conv2d-real-input-stride-2": lambda r: real_input_conv(r, (1, 9, 5, 6), 3, 2),
    "binary-conv2d-real-input-one-pixel": lambda r: real_input_conv(r, (1, 24, 1, 1), 1),
    "binary-conv2d-int8-input": lambda r: int8_input_conv(r, (2, 70, 4, 5)),
    "conv2d": lambda r: conv(r, 3, 1, bias=True),
    "conv2d-stride-2": lambda r: conv(r, 3, 2, bias=False),
    "conv2d-pointwise": lambda r: conv(r, 1, 1, bias=True),
    "conv2d-7x7": lambda r: conv(r, 7, 2, bias=False),
    "conv2d-dilation-6": dilated_conv,
    "conv2d-int8": lambda r: int8_conv(r, (2, 70, 6, 5), 33, 3, 1),
    "conv2d-int8-tiles": lambda r: int8_conv(r, (1, 64, 7, 9), 32, 3, 2),
    "conv2d-int8-7x7": lambda r: int8_conv(r, (2, 3, 11, 14), 16, 7, 2),
    "rprelu": per_channel("rprelu", "bias_in", "slope", "bias_out"),
    "prelu": per_channel("prelu", "slope"),
    "batch-norm": per_channel("batch_norm", "scale", "bias"),
    "relu": plain("relu"),
    "sigmoid": plain("sigmoid"),
    "softplus": plain("softplus"),
    "softmax": plain("softmax"),
    "channel-gate": lambda r: one("channel_gate", [normal(r, 2, 5, 3, 4), normal(r, 2, 5, 1, 1)]),
    "channel-offset": lambda r: one("channel_offset", [normal(r, 2, 5, 3, 4), normal(r, 2, 5, 1, 1)]),
    "global-avg-pool2d": plain("global_avg_pool2d"),
    "avg-pool2d": lambda r: one("avg_pool2d", normal(r, 2, 3, 7, 8), attributes={"kernel": [2, 2], "stride": [2, 2]}),
    "avg-pool2d-3x2": lambda r: one(
        "avg_pool2d", normal(r, 1, 3, 7, 8), attributes={"kernel": [3, 2], "stride": [2, 1]}
    ),
    "max-pool2d": lambda r: one(
        "max_pool2d", normal(r, 2, 3, 7, 8), attributes={"kernel": [3, 3], "stride": [2, 2], "padding": [1, 1]}
    ),
    "max-pool2d-2x3": lambda r: one(
        "max_pool2d", normal(r, 1, 3, 6, 7), attributes={"kernel": [2, 3], "stride": [1, 2], "padding": [0, 1]}
    ),
    "upsample2d-bilinear": upsample("bilinear", 2),
    "upsample2d-bilinear-3": upsample("bilinear", 3),
    "upsample2d-nearest": upsample("nearest", 2),
    "add": several("add", 3),
    "average": several("average", 3),
    "concat": lambda r: one("concat", [normal(r, 2, c, 3, 4) for c in (1, 5, 2)]),
    "split": lambda r: one("split", normal(r, 2, 8, 3, 4), attributes={"sizes": [1, 5, 2]}, roles=("a", "b", "c")),
    "lift-splat": lift_splat,
    # With frames before them: golden_sequences.
    "align-previous": lambda r: one("align_previous", normal(r, 1, 3, 4, 5)),
    "cameras": two_cameras,
    "occupancy-argmax": argmax,
}
