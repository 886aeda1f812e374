"""Binary layers: sign activation, binary convolution, RPReLU (arXiv 2405.17037, section 3.1). sign(0) = +1."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import fused
from .config_sections import Precision, SignGradient
from .convolution import Conv2d, conv2d
from .graph_builder import GraphBuilder, batch_norm_scale_bias, pack_signs
from .thresholds import sign_thresholds


def sign(x: Tensor) -> Tensor:
    """+1 where x ≥ 0, −1 elsewhere (NaN included)."""
    return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)


class _TanhGradientSign(torch.autograd.Function):
    """Forward sign(x), backward the derivative of tanh(βx) in both x and β."""

    @staticmethod
    def forward(ctx, x: Tensor, beta: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x, beta)
        return sign(x)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        x, beta = ctx.saved_tensors
        slope = torch.tanh(beta * x).square_().neg_().add_(1).mul_(gradient)
        return slope * beta, (slope * x).sum()


class _SavedInputSign(torch.autograd.Function):
    """Forward sign(x); what stands in for its derivative in x is the subclass's."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x)
        return sign(x)


class _ClampGradientSign(_SavedInputSign):
    """Backward the gradient of clamp(x, −1, 1)."""

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= 1)


class _QuadraticGradientSign(_SavedInputSign):
    """Backward the derivative of Bi-Real Net's piecewise quadratic (arXiv 1808.00278): 2 − 2|x| between −1 and 1, 0
    elsewhere."""

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return gradient * (2 - 2 * x.abs()).clamp_(min=0)


class Binarization(NamedTuple):
    """How a unit makes signs of activations and weights; the default is BDC's."""

    # The stand-in for the sign's derivative: of tanh(βx) with a learned β, of Bi-Real Net's quadratic, of clamp(x).
    gradient: SignGradient = "tanh"
    # sign(k·x + b) with a learned k per channel; otherwise sign(x + b).
    scaled: bool = True
    # Binary weights from W − mean(W) per output channel rather than from W.
    centred_weight: bool = False


BDC = Binarization()


class SignActivation(nn.Module):
    """sign(k·x + b) or sign(x + b), learned per channel, with one learned β where the gradient is tanh's.

    [N, C, H, W] → ±1.
    """

    def __init__(self, channels: int, binarization: Binarization = BDC) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels)) if binarization.scaled else None
        self.bias = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.ones(())) if binarization.gradient == "tanh" else None
        self.gradient = binarization.gradient

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.scale is not None and self.beta is not None and fused.usable(x):
            return fused.sign_activation(x, self.scale, self.bias, self.beta)
        if self.scale is not None:
            x = self.scale.view(1, -1, 1, 1) * x
        x = x + self.bias.view(1, -1, 1, 1)
        if self.beta is not None:
            return _TanhGradientSign.apply(x, self.beta)
        return _QuadraticGradientSign.apply(x) if self.gradient == "quadratic" else _ClampGradientSign.apply(x)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        scale = torch.ones_like(self.bias) if self.scale is None else self.scale
        threshold, direction = sign_thresholds(scale, self.bias)
        return graph.add("sign", name, [x], tensors={"threshold": threshold, "direction": direction})


class BinaryConv2d(nn.Module):
    """Convolution with weights s·sign(W), s[o] = mean |W[o]|, a constant in the backward pass; `centred` takes
    W − mean(W[o]) for W.

    Pads with zeros, so taps outside the image contribute nothing. The sum over ±1 is taken before the scale, so that on
    signed input it is an exact integer.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel_size: int, stride: int = 1, centred: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in, kernel_size, kernel_size))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        self.stride = stride
        self.padding = kernel_size // 2
        self.centred = centred

    @property
    def latent(self) -> Tensor:
        """What the signs are taken of, [channels_out, channels_in, kh, kw]."""
        return self.weight - self.weight.mean((1, 2, 3), keepdim=True) if self.centred else self.weight

    @property
    def scale(self) -> Tensor:
        """[channels_out]"""
        return self.latent.detach().abs().mean((1, 2, 3))

    def sums(self, x: Tensor) -> Tensor:
        """The convolution with sign(W), before its scale; bfloat16 under autocast."""
        latent = self.latent
        signs = fused.weight_sign(latent) if fused.usable(latent) else _ClampGradientSign.apply(latent)
        return conv2d(x, signs, self.stride, self.padding)

    def forward(self, x: Tensor) -> Tensor:
        return self.sums(x) * self.scale.view(1, -1, 1, 1)

    def emit(self, graph: GraphBuilder, name: str, x: str, norm: nn.BatchNorm2d | None = None) -> str:
        """With the batch norm after it folded into scale and bias."""
        tensors: dict[str, Tensor | np.ndarray] = {"weight": pack_signs(self.latent), "scale": self.scale}
        if norm is not None:
            factor, offset = batch_norm_scale_bias(norm)
            tensors |= {"scale": self.scale * factor, "bias": offset}
        attributes = {
            "in_channels": self.weight.shape[1],
            "stride": [self.stride] * 2,
            "padding": [self.padding] * 2,
        }
        return graph.add("binary_conv2d", name, [x], attributes, tensors)


class RPReLU(nn.Module):
    """PReLU(x + b0) + b1, all three per channel (ReActNet, arXiv 2003.03488)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias_in = nn.Parameter(torch.zeros(channels))
        self.slope = nn.Parameter(torch.full((channels,), 0.25))
        self.bias_out = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.prelu(x + self.bias_in.view(1, -1, 1, 1), self.slope) + self.bias_out.view(1, -1, 1, 1)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        tensors = {"bias_in": self.bias_in, "slope": self.slope, "bias_out": self.bias_out}
        return graph.add("rprelu", name, [x], tensors=tensors)


class BinaryConvBlock(nn.Module):
    """(sign →) binary convolution (→ batch norm) (→ RPReLU): [N, C_in, H, W] → [N, C_out, H/stride, W/stride].

    `signed` says whether the convolution's input is signed (W1A1) or real (W1A32). With `precision` "full" it is the
    block's full-precision twin: no sign, a plain convolution; with "binary_inputs" a plain convolution of signs.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel_size: int,
        *,
        stride: int = 1,
        signed: bool = True,
        batch_norm: bool = True,
        activation: bool = True,
        precision: Precision = "binary",
        binarization: Binarization = BDC,
    ) -> None:
        super().__init__()
        self.sign = SignActivation(channels_in, binarization) if signed and precision != "full" else None
        self.conv = (
            BinaryConv2d(channels_in, channels_out, kernel_size, stride, binarization.centred_weight)
            if precision == "binary"
            else Conv2d(channels_in, channels_out, kernel_size, stride, kernel_size // 2, bias=False)
        )
        self.norm = nn.BatchNorm2d(channels_out) if batch_norm else None
        self.activation = RPReLU(channels_out) if activation else None

    def forward(self, x: Tensor) -> Tensor:
        if self.sign is not None:
            x = self.sign(x)
        if self.norm is not None and self.activation is not None and fused.norms(self.norm):
            sums = self.conv.sums(x)
            scale = self.conv.scale if isinstance(self.conv, BinaryConv2d) else None
            if fused.usable_sums(sums):
                activation = self.activation
                return fused.norm_rprelu(
                    sums, scale, self.norm, activation.bias_in, activation.slope, activation.bias_out
                )
            x = sums if scale is None else sums * scale.view(1, -1, 1, 1)
        else:
            x = self.conv(x)
        for layer in (self.norm, self.activation):
            if layer is not None:
                x = layer(x)
        return x

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        """@raises ValueError for precision "binary_inputs" """
        if self.sign is not None:
            if not isinstance(self.conv, BinaryConv2d):
                raise ValueError(
                    f"{name}: a network with unit.precision binary_inputs can't be exported; train one with "
                    "unit.precision binary from it (training.initial)"
                )
            x = self.sign.emit(graph, f"{name}.sign", x)
        if isinstance(self.conv, BinaryConv2d):
            x = self.conv.emit(graph, f"{name}.conv", x, self.norm)
        else:
            x = graph.conv2d(f"{name}.conv", x, self.conv, self.norm)
        return x if self.activation is None else self.activation.emit(graph, f"{name}.activation", x)
