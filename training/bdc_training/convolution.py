"""Convolutions that multiply in bfloat16 where a CPU trains in mixed precision, and are PyTorch's own elsewhere."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Conv2d(nn.Conv2d):
    """torch.nn.Conv2d with the arithmetic of `conv2d` and, on a CPU, a result of x's type under autocast too: what
    follows runs as it does without, the fused operations included."""

    def sums(self, x: Tensor) -> Tensor:
        """The convolution without its bias; bfloat16 under autocast."""
        if self.groups != 1 or self.dilation != (1, 1) or self.padding_mode != "zeros":
            return super()._conv_forward(x, self.weight, None)
        return conv2d(x, self.weight, self.stride[0], self.padding[0])

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or not torch.is_autocast_cpu_enabled():
            return super().forward(x)
        sums = self.sums(x).float()
        return sums if self.bias is None else sums + self.bias.view(1, -1, 1, 1)


def conv2d(x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """F.conv2d without a bias."""
    if x.device.type != "cpu" or not torch.is_autocast_cpu_enabled():
        return F.conv2d(x, weight, None, stride, padding)
    return _BFloat16Convolution.apply(x, weight, stride, padding)


class _BFloat16Convolution(torch.autograd.Function):
    """1×1 convolutions of stride 1 are matrix products of rows: PyTorch 1.13 gives some of them, in bfloat16, values
    that are not finite."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:  # type: ignore[override]
        ctx.window = stride, padding
        x, weight = _bfloat16(x), _bfloat16(weight)
        ctx.save_for_backward(x, weight)
        with torch.autocast("cpu", enabled=False):
            if _is_product(weight, stride, padding):
                return _image(_rows(x) @ weight.flatten(1).t(), x)
            return F.conv2d(x, weight, None, stride, padding)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, weight = ctx.saved_tensors
        stride, padding = ctx.window
        gradient = _bfloat16(gradient)
        of_x, of_weight = ctx.needs_input_grad[:2]
        dx = dweight = None
        if _is_product(weight, stride, padding):
            rows = _rows(gradient)
            if of_x:
                dx = _image(rows @ weight.flatten(1), x)
            if of_weight:
                dweight = (rows.t() @ _rows(x)).view(weight.shape)
        else:
            dx, dweight, _ = torch.ops.aten.convolution_backward(
                gradient, x, weight, None, (stride,) * 2, (padding,) * 2, (1, 1), False, (0, 0), 1,
                (of_x, of_weight, False),
            )  # fmt: skip
        return dx, dweight, None, None


def _bfloat16(x: Tensor) -> Tensor:
    return x.to(torch.bfloat16, memory_format=torch.channels_last).contiguous(memory_format=torch.channels_last)


def _is_product(weight: Tensor, stride: int, padding: int) -> bool:
    return weight.shape[2:] == (1, 1) and stride == 1 and padding == 0


def _rows(x: Tensor) -> Tensor:
    """[N, C, H, W], channels last, as [N·H·W, C]."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _image(rows: Tensor, like: Tensor) -> Tensor:
    """[N·H·W, C] as [N, C, H, W], channels last."""
    size, _, height, width = like.shape
    return rows.view(size, height, width, -1).permute(0, 3, 1, 2)
