"""Binary layers: sign activation, binary convolution, RPReLU (arXiv 2405.17037, section 3.1). sign(0) = +1."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import fused
from .config import Precision
from .graph_builder import GraphBuilder
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


class _ClampGradientSign(torch.autograd.Function):
    """Forward sign(w), backward the gradient of clamp(w, −1, 1)."""

    @staticmethod
    def forward(ctx, weight: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(weight)
        return sign(weight)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (weight,) = ctx.saved_tensors
        return gradient * (weight.abs() <= 1)


class SignActivation(nn.Module):
    """sign(k·x + b) with learned k and b per channel and one learned β for the gradient. [N, C, H, W] → ±1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training and fused.usable(x):
            return fused.sign_activation(x, self.scale, self.bias, self.beta)
        return _TanhGradientSign.apply(self.scale.view(1, -1, 1, 1) * x + self.bias.view(1, -1, 1, 1), self.beta)

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        threshold, direction = sign_thresholds(self.scale, self.bias)
        return graph.add("sign", name, [x], tensors={"threshold": threshold, "direction": direction})


class BinaryConv2d(nn.Module):
    """Convolution with weights s·sign(W), s[o] = mean |W[o]|, a constant in the backward pass.

    Pads with zeros, so taps outside the image contribute nothing. The sum over ±1 is taken before the scale, so that on
    signed input it is an exact integer.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel_size: int, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in, kernel_size, kernel_size))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        self.stride = stride
        self.padding = kernel_size // 2

    @property
    def scale(self) -> Tensor:
        """[channels_out]"""
        return self.weight.detach().abs().mean((1, 2, 3))

    def sums(self, x: Tensor) -> Tensor:
        """The convolution with sign(W), before its scale."""
        return F.conv2d(x, _ClampGradientSign.apply(self.weight), stride=self.stride, padding=self.padding)

    def forward(self, x: Tensor) -> Tensor:
        return self.sums(x) * self.scale.view(1, -1, 1, 1)


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
    block's full-precision twin: no sign, a plain convolution.
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
    ) -> None:
        super().__init__()
        self.sign = SignActivation(channels_in) if signed and precision == "binary" else None
        self.conv = (
            BinaryConv2d(channels_in, channels_out, kernel_size, stride)
            if precision == "binary"
            else nn.Conv2d(channels_in, channels_out, kernel_size, stride, kernel_size // 2, bias=False)
        )
        self.norm = nn.BatchNorm2d(channels_out) if batch_norm else None
        self.activation = RPReLU(channels_out) if activation else None

    def forward(self, x: Tensor) -> Tensor:
        if self.sign is not None:
            x = self.sign(x)
        if self.training and self.norm is not None and self.activation is not None:
            sums, scale = (
                (self.conv.sums(x), self.conv.scale) if isinstance(self.conv, BinaryConv2d) else (self.conv(x), None)
            )
            if fused.usable(sums):
                return fused.norm_rprelu(sums, scale, self.norm, self.activation)
            x = sums if scale is None else sums * scale.view(1, -1, 1, 1)
        else:
            x = self.conv(x)
        for layer in (self.norm, self.activation):
            if layer is not None:
                x = layer(x)
        return x

    def emit(self, graph: GraphBuilder, name: str, x: str) -> str:
        if self.sign is not None:
            x = self.sign.emit(graph, f"{name}.sign", x)
        add = graph.binary_conv2d if isinstance(self.conv, BinaryConv2d) else graph.conv2d
        x = add(f"{name}.conv", x, self.conv, self.norm)
        return x if self.activation is None else self.activation.emit(graph, f"{name}.activation", x)
