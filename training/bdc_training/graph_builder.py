"""Collects the operations and tensors of a model file's graph (docs/model-format.md)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

Value = Tensor | np.ndarray


class GraphBuilder:
    """Operations in execution order. Tensors are named `<operation>.<role>`, single outputs like their operation."""

    def __init__(self) -> None:
        self.operations: list[dict[str, Any]] = []
        self.tensors: dict[str, np.ndarray] = {}
        self.module = "image_encoder"

    def add(
        self,
        op: str,
        name: str,
        inputs: Sequence[str],
        attributes: Mapping[str, Any] | None = None,
        tensors: Mapping[str, Value] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> str:
        """Adds one operation and returns the name of its first output."""
        operation: dict[str, Any] = {
            "name": name,
            "op": op,
            "module": self.module,
            "inputs": list(inputs),
            "outputs": list(outputs or [name]),
        }
        if attributes:
            operation["attributes"] = dict(attributes)
        if tensors:
            operation["tensors"] = {role: f"{name}.{role}" for role in tensors}
            for role, value in tensors.items():
                array = _array(value)
                if array.dtype == np.float32 and role != "threshold" and not np.isfinite(array).all():
                    raise ValueError(f"{name}.{role}: found inf or NaN: the training diverged")
                self.tensors[f"{name}.{role}"] = array
        self.operations.append(operation)
        return operation["outputs"][0]

    def avg_pool2d(self, name: str, x: str) -> str:
        """2×2, stride 2."""
        return self.add("avg_pool2d", name, [x], {"kernel": [2, 2], "stride": [2, 2]})

    def split(self, name: str, x: str, sizes: Sequence[int]) -> list[str]:
        outputs = [f"{name}.{i}" for i in range(len(sizes))]
        self.add("split", name, [x], {"sizes": list(sizes)}, outputs=outputs)
        return outputs

    def batch_norm(self, name: str, x: str, norm: nn.BatchNorm2d) -> str:
        scale, bias = batch_norm_scale_bias(norm)
        return self.add("batch_norm", name, [x], tensors={"scale": scale, "bias": bias})

    def conv2d(self, name: str, x: str, conv: nn.Conv2d, norm: nn.BatchNorm2d | None = None) -> str:
        """A real convolution with the batch norm after it folded into its weights."""
        weight = conv.weight.detach()
        bias = None if conv.bias is None else conv.bias.detach()
        if norm is not None:
            factor, offset = batch_norm_scale_bias(norm)
            weight = weight * factor.view(-1, 1, 1, 1)
            bias = offset if bias is None else bias * factor + offset
        tensors = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
        attributes = {"stride": list(conv.stride), "padding": list(conv.padding)}
        if conv.dilation != (1, 1):
            attributes["dilation"] = list(conv.dilation)
        return self.add("conv2d", name, [x], attributes, tensors)


def batch_norm_scale_bias(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """(scale, bias) of y = scale·x + bias with the running statistics."""
    scale = norm.weight.detach() / (norm.running_var + norm.eps).sqrt()
    return scale, norm.bias.detach() - norm.running_mean * scale


def pack_signs(weight: Tensor) -> np.ndarray:
    """Signs of [O, I, kh, kw] weights as uint64 [O, kh, kw, ceil(I / 64)].

    Bit b of word w is channel 64·w + b, 1 = +1; padding bits are 0.
    """
    bits = (weight.detach().cpu().numpy() >= 0).transpose(0, 2, 3, 1)
    channels = bits.shape[-1]
    padded = np.zeros((*bits.shape[:-1], -(-channels // 64) * 64), dtype=bool)
    padded[..., :channels] = bits
    return np.packbits(padded, axis=-1, bitorder="little").view("<u8")


def _array(value: Value) -> np.ndarray:
    array = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
    if array.dtype.kind == "f" and array.dtype != np.float32:
        array = array.astype(np.float32)
    return np.ascontiguousarray(array)
