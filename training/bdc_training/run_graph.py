"""Runs a model file's graph in plain PyTorch, operation by operation: oracle of exporter and native engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .align_previous import align_previous
from .config_sections import GridConfig
from .stereo import camera_motion, cost_volume
from .view_transformer import bev_cells, splat


@dataclass(frozen=True)
class Rig:
    """rays [N, h, w, 3], origins [N, 3] (m, base frame), and parameters [N, 27] (bdc_training.calibration) where the
    graph uses them; cameras that aren't there are left out of all inputs."""

    rays: Tensor
    origins: Tensor
    parameters: Tensor | None = None


@dataclass(frozen=True)
class History:
    """What operations kept of the previous frame, by their names, its rig, and the motion [3, 4] since: the base frame
    now → the base frame then."""

    kept: Mapping[str, Tensor]
    motion: Tensor
    rig: Rig | None = None


@dataclass
class GraphRun:
    """Values by tensor name; the closest any input of a sign came to its threshold, relative to 1 + |threshold|.

    `kept` is for the next frame's history.
    """

    values: dict[str, Tensor]
    sign_margin: float = float("inf")
    kept: dict[str, Tensor] = field(default_factory=dict)


def normalised(images: np.ndarray, manifest: Mapping[str, Any]) -> Tensor:
    """uint8 [N, H, W, 3] → float32 [N, 3, H, W]."""
    mean, std = (torch.tensor(manifest["input"][key], dtype=torch.float32) for key in ("mean", "std"))
    return ((torch.from_numpy(images).float() - mean) / std).permute(0, 3, 1, 2).contiguous()


@dataclass(frozen=True)
class Call:
    """One operation of a graph."""

    inputs: list[Tensor]
    weights: Mapping[str, np.ndarray]
    attributes: Mapping[str, Any]

    @property
    def x(self) -> Tensor:
        return self.inputs[0]

    def channels(self, role: str) -> Tensor:
        """A per-channel tensor, shaped to broadcast over [N, C, H, W]."""
        return torch.from_numpy(self.weights[role]).view(1, -1, 1, 1)

    def signs(self) -> Tensor:
        """A binary convolution's weights, ±1 [O, I, kh, kw]."""
        words = self.weights["weight"]
        bits = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little")[..., : self.attributes["in_channels"]]
        return torch.from_numpy(bits.astype(np.float32) * 2 - 1).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Arithmetic:
    """How operations are computed."""

    operations: Mapping[str, Callable[[Call], Tensor | list[Tensor]]]
    # Depths, context and cells as bdc_training.view_transformer.splat has them.
    splat: Callable[[Tensor, Tensor, Tensor, GridConfig], Tensor]


def run_graph(
    manifest: Mapping[str, Any],
    tensors: Mapping[str, np.ndarray],
    inputs: Mapping[str, Tensor],
    rig: Rig | None = None,
    history: History | None = None,
    arithmetic: Arithmetic | None = None,
) -> GraphRun:
    """`arithmetic`: PLAIN if not given. @raises KeyError for an operation that isn't known."""
    run = GraphRun(dict(inputs))
    arithmetic = arithmetic or PLAIN
    for operation in manifest["graph"]["operations"]:
        weights = {role: tensors[name] for role, name in operation.get("tensors", {}).items()}
        call = Call([run.values[name] for name in operation["inputs"]], weights, operation.get("attributes", {}))
        if operation["op"] == "lift_splat":
            results = [_lift_splat(call, manifest, rig, arithmetic)]
        elif operation["op"] == "align_previous":
            run.kept[operation["name"]] = call.x
            results = [_align_previous(call, manifest, operation["name"], history)]
        elif operation["op"] == "camera_parameters":
            results = [_calibration(rig)[:, :, None, None]]
        elif operation["op"] == "stereo_cost_volume":
            run.kept[operation["name"]] = call.x
            results = [_stereo_cost_volume(call, operation["name"], rig, history)]
        else:
            output = arithmetic.operations[operation["op"]](call)
            results = output if isinstance(output, list) else [output]
        if operation["op"] == "sign":
            run.sign_margin = min(run.sign_margin, _sign_margin(call))
        run.values.update(zip(operation["outputs"], results, strict=True))
    return run


def _sign(call: Call) -> Tensor:
    threshold, direction = call.channels("threshold"), call.channels("direction")
    bits = torch.where(direction > 0, call.x >= threshold, call.x <= threshold)
    return torch.where(bits, 1.0, -1.0)


def _sign_margin(call: Call) -> float:
    threshold = call.channels("threshold")
    margin = (call.x - threshold).abs() / (1 + threshold.abs())
    return float(margin[torch.isfinite(margin)].min()) if torch.isfinite(margin).any() else float("inf")


def quantised(x: Tensor, scale: float) -> Tensor:
    """Whole numbers in [−127, 127]: x over the scale, rounded to nearest even; NaN becomes −127."""
    factor = np.float32(1) / np.float32(scale)
    return (x * torch.tensor(factor)).nan_to_num(nan=-127.0).round().clamp(-127, 127)


def _binary_conv2d(call: Call) -> Tensor:
    weight = call.signs()
    window = {"stride": call.attributes["stride"], "padding": call.attributes["padding"]}
    scale = call.channels("scale")
    if "activation_scale" in call.attributes:
        activation_scale = call.attributes["activation_scale"]
        y = F.conv2d(quantised(call.x, activation_scale), weight, **window)  # exact: below 2^24
        y = y * (scale * torch.tensor(np.float32(activation_scale)))
    else:
        y = F.conv2d(call.x, weight, **window) * scale
    return y + call.channels("bias") if "bias" in call.weights else y


def _conv2d(call: Call) -> Tensor:
    window = {key: call.attributes[key] for key in ("stride", "padding", "dilation") if key in call.attributes}
    weight = torch.from_numpy(call.weights["weight"])
    if "activation_scale" in call.attributes:
        activation_scale = call.attributes["activation_scale"]
        sums = F.conv2d(quantised(call.x, activation_scale).double(), weight.double(), **window)  # exact
        y = sums.float() * (call.channels("scale") * torch.tensor(np.float32(activation_scale)))
        return y + call.channels("bias") if "bias" in call.weights else y
    bias = call.weights.get("bias")
    return F.conv2d(call.x, weight, None if bias is None else torch.from_numpy(bias), **window)


def _rprelu(call: Call) -> Tensor:
    t = call.x + call.channels("bias_in")
    return torch.where(t > 0, t, call.channels("slope") * t) + call.channels("bias_out")


def _upsample2d(call: Call) -> Tensor:
    mode = call.attributes["mode"]
    align = {"align_corners": False} if mode == "bilinear" else {}
    return F.interpolate(call.x, scale_factor=call.attributes["factor"], mode=mode, **align)


def _occupancy_argmax(call: Call) -> list[Tensor]:
    logits = call.x.unflatten(1, (-1, call.attributes["classes"]))  # [1, nz, K, ny, nx]
    probability = logits.softmax(2).permute(0, 4, 3, 1, 2)
    # torch.argmax doesn't say which of equal values it takes: numpy takes the first.
    labels = torch.from_numpy(np.argmax(logits.permute(0, 4, 3, 1, 2).numpy(), axis=-1))
    confidence = probability.gather(-1, labels[..., None])[..., 0]
    return [labels.to(torch.uint8), confidence.contiguous()]


def _grid(manifest: Mapping[str, Any]) -> GridConfig:
    return GridConfig(**{key: tuple(value) for key, value in manifest["grid"].items()})


def _align_previous(call: Call, manifest: Mapping[str, Any], name: str, history: History | None) -> Tensor:
    if history is None:
        return torch.zeros_like(call.x)
    planar = history.motion[None, :2][..., [0, 1, 3]]
    return align_previous(history.kept[name], planar, _grid(manifest))


def _calibration(rig: Rig | None) -> Tensor:
    if rig is None or rig.parameters is None:
        raise ValueError("this graph needs the calibration of its cameras: Rig.parameters")
    return rig.parameters


def _stereo_cost_volume(call: Call, name: str, rig: Rig | None, history: History | None) -> Tensor:
    depths, stride, bias = (call.attributes[key] for key in ("depths", "stride", "bias"))
    if history is None:
        return call.x.new_zeros(len(call.x), len(depths), *call.x.shape[2:])
    motion = torch.eye(4, dtype=torch.float64)
    motion[:3] = history.motion
    previous_from_current = camera_motion(_calibration(rig)[None], _calibration(history.rig)[None], motion[None])[0]
    calibration = _calibration(rig), _calibration(history.rig)
    return cost_volume(call.x, history.kept[name], *calibration, previous_from_current, depths, stride, bias)


def _lift_splat(call: Call, manifest: Mapping[str, Any], rig: Rig | None, arithmetic: Arithmetic) -> Tensor:
    if rig is None:
        raise ValueError("a graph with lift_splat needs a rig: rays and origins of its cameras")
    grid = _grid(manifest)
    depth, context = (x.unsqueeze(0) for x in call.inputs)
    cells = bev_cells(rig.rays[None], rig.origins[None], None, call.attributes["depths"], grid)
    return arithmetic.splat(depth, context, cells, grid)


_POOLING = (("kernel_size", "kernel"), ("stride", "stride"), ("padding", "padding"))
_OPERATIONS: dict[str, Callable[[Call], Tensor | list[Tensor]]] = {
    "conv2d": _conv2d,
    "sign": _sign,
    "binary_conv2d": _binary_conv2d,
    "rprelu": _rprelu,
    "prelu": lambda call: F.prelu(call.x, torch.from_numpy(call.weights["slope"])),
    "relu": lambda call: F.relu(call.x),
    "sigmoid": lambda call: torch.sigmoid(call.x),
    "softplus": lambda call: F.softplus(call.x),
    "batch_norm": lambda call: call.x * call.channels("scale") + call.channels("bias"),
    "channel_gate": lambda call: call.x * call.inputs[1],
    "channel_offset": lambda call: call.x + call.inputs[1],
    "global_avg_pool2d": lambda call: call.x.mean((2, 3), keepdim=True),
    "avg_pool2d": lambda call: F.avg_pool2d(call.x, call.attributes["kernel"], call.attributes["stride"]),
    "max_pool2d": lambda call: F.max_pool2d(call.x, **{key: tuple(call.attributes[name]) for key, name in _POOLING}),
    "upsample2d": _upsample2d,
    "add": lambda call: sum(call.inputs[1:], start=call.inputs[0]),
    "average": lambda call: sum(call.inputs[1:], start=call.inputs[0]) / len(call.inputs),
    "concat": lambda call: torch.cat(call.inputs, dim=1),
    "split": lambda call: list(call.x.split(call.attributes["sizes"], dim=1)),
    "softmax": lambda call: call.x.softmax(1),
    "occupancy_argmax": _occupancy_argmax,
}

# In the order of rounding that PyTorch has.
PLAIN = Arithmetic(_OPERATIONS, splat)
