"""The fused operations as autograd functions. Images [N, C, H, W] have channels last; they are float32
(`usable`), or bfloat16 where they come out of a convolution (`usable_sums`) or go into one."""

import torch
from torch import Tensor, nn

from .compiled_library import call


def _rows(x: Tensor) -> tuple[int, int]:
    return x.shape[0] * x.shape[2] * x.shape[3], x.shape[1]


def _like(x: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    return torch.empty_like(x, dtype=dtype, memory_format=torch.channels_last)


def _is_bfloat16(x: Tensor) -> int:
    return int(x.dtype == torch.bfloat16)


def _image(gradient: Tensor) -> Tensor:
    """An upstream gradient may come in any layout, and expanded."""
    return gradient.contiguous(memory_format=torch.channels_last)


class _SignActivation(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, scale: Tensor, bias: Tensor, beta: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x, scale, bias, beta)
        # Under autocast the convolution that follows takes bfloat16.
        y = _like(x, torch.bfloat16 if torch.is_autocast_cpu_enabled() else torch.float32)
        call("sign_forward", x, scale, bias, _is_bfloat16(y), y, *_rows(x))
        return y

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        x, scale, bias, beta = ctx.saved_tensors
        dx = _like(x)
        totals = torch.zeros(3, x.shape[1], dtype=torch.float64)
        gradient = _image(gradient)
        call("sign_backward", _is_bfloat16(gradient), gradient, x, scale, bias, beta.item(), dx, totals, *_rows(x))
        dscale, dbias, dbeta = totals.float()
        return dx, dscale, dbias, dbeta.sum()


def sign_activation(x: Tensor, scale: Tensor, bias: Tensor, beta: Tensor) -> Tensor:
    """sign(scale·x + bias), with the gradient of tanh(beta·(scale·x + bias))."""
    return _SignActivation.apply(x, scale, bias, beta)


class _WeightSign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weight: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(weight)
        y = _like(weight, torch.bfloat16 if torch.is_autocast_cpu_enabled() else torch.float32)
        call("weight_sign_forward", weight, _is_bfloat16(y), y, weight.numel())
        return y

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (weight,) = ctx.saved_tensors
        gradient = _image(gradient)
        dweight = _like(weight)
        call("weight_sign_backward", _is_bfloat16(gradient), gradient, weight, dweight, weight.numel())
        return dweight


def weight_sign(weight: Tensor) -> Tensor:
    """sign(weight), with the gradient of clamp(weight, −1, 1)."""
    return _WeightSign.apply(weight)


class _NormRPReLU(torch.autograd.Function):
    """PReLU(a·x + d) + bias_out, where batch norm of factor·x and bias_in make a and d."""

    @staticmethod
    def forward(ctx, x, factor, gamma, beta, eps, bias_in, slope, bias_out, mean, variance):  # type: ignore[override]
        # factor·x has mean factor·mean and variance factor²·variance.
        inverse = factor / torch.sqrt(factor * factor * variance + eps)
        a = gamma * inverse
        d = beta - a * mean + bias_in
        y = _like(x, torch.float32)
        call("scale_rprelu_forward", _is_bfloat16(x), x, a, d, slope, bias_out, y, *_rows(x))
        ctx.save_for_backward(x, a, d, slope, mean, inverse)
        return y

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[override]
        x, a, d, slope, mean, inverse = ctx.saved_tensors
        gradient = _image(gradient)
        rows, channels = _rows(x)
        totals = torch.zeros(4, channels, dtype=torch.float64)
        bfloat16 = _is_bfloat16(x)
        call("scale_rprelu_backward_sums", bfloat16, gradient, x, a, d, slope, mean, totals, rows, channels)
        dbias_out, dslope, du, du_centred = totals.float()
        dgamma = du_centred * inverse
        dx = _like(x)
        p, q = du / rows, dgamma * inverse / rows
        call("scale_rprelu_backward", bfloat16, gradient, x, a, d, slope, mean, p, q, dx, rows, channels)
        return dx, None, dgamma, du, None, du, dslope, dbias_out, None, None


def norms(norm: nn.BatchNorm2d) -> bool:
    """Whether `norm_rprelu` has this norm fused: in training, and where under autocast no gradient is wanted (a
    teacher). Elsewhere an evaluation rounds as PyTorch's own layers do."""
    return norm.training or (torch.is_autocast_cpu_enabled() and not torch.is_grad_enabled())


def norm_rprelu(
    x: Tensor, factor: Tensor | None, norm: nn.BatchNorm2d, bias_in: Tensor, slope: Tensor, bias_out: Tensor
) -> Tensor:
    """RPReLU(norm(factor·x)); in training mode `norm` has its running statistics updated. RPReLU(x) is
    PReLU(x + bias_in) + bias_out.

    factor [C], constant in the backward pass; None for 1.
    """
    if not norm.training:
        inverse = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        a = inverse if factor is None else inverse * factor
        d = norm.bias - inverse * norm.running_mean + bias_in
        y = _like(x, torch.float32)
        call("scale_rprelu_forward", _is_bfloat16(x), x, a, d, slope, bias_out, y, *_rows(x))
        return y
    rows, channels = _rows(x)
    if factor is None:
        factor = torch.ones(channels)
    # Moments about a sample's value rather than 0: no cancellation where the mean is large.
    shift = x[0, :, 0, 0].float().contiguous()
    totals = torch.zeros(2, channels, dtype=torch.float64)
    call("moments", _is_bfloat16(x), x, shift, totals, rows, channels)
    centred = totals[0] / rows
    variance = (totals[1] / rows - centred * centred).clamp_(min=0).float()
    mean = (centred + shift).float()
    with torch.no_grad():
        norm.num_batches_tracked.add_(1)
        norm.running_mean.lerp_(factor * mean, norm.momentum)
        norm.running_var.lerp_(factor * factor * variance * (rows / max(rows - 1, 1)), norm.momentum)
    parameters = (bias_in, slope, bias_out)
    return _NormRPReLU.apply(x, factor, norm.weight, norm.bias, norm.eps, *parameters, mean, variance)


def norm_prelu(x: Tensor, norm: nn.BatchNorm2d, slope: Tensor) -> Tensor:
    """PReLU(norm(x)), as `norm_rprelu`; a slope of ones [C] leaves the norm alone."""
    zeros = torch.zeros_like(slope)
    return norm_rprelu(x, None, norm, zeros, slope, zeros)


class _GateAdd(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, gate: Tensor, residual: Tensor) -> Tensor:  # type: ignore[override]
        gate = gate.contiguous()
        ctx.save_for_backward(x, gate)
        y = _like(x)
        images, channels, height, width = x.shape
        call("gate_add_forward", x, gate, residual, y, images, height * width, channels)
        return y

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        x, gate = ctx.saved_tensors
        gradient = _image(gradient)
        images, channels, height, width = x.shape
        dx = _like(x)
        totals = torch.zeros(images, channels, dtype=torch.float64)
        call("gate_add_backward", gradient, x, gate, dx, totals, images, height * width, channels)
        return dx, totals.float().view_as(gate), gradient


def gate_add(x: Tensor, gate: Tensor, residual: Tensor) -> Tensor:
    """x·gate + residual; gate [N, C, 1, 1]."""
    return _GateAdd.apply(x, gate, residual)


class _Splat(torch.autograd.Function):
    @staticmethod
    def forward(ctx, depth: Tensor, context: Tensor, cells: Tensor, area: int) -> Tensor:  # type: ignore[override]
        depth, context, cells = depth.contiguous(), context.contiguous(), cells.contiguous()
        ctx.save_for_backward(depth, context, cells)
        samples, pixels, channels = context.shape
        bev = context.new_zeros(samples, area, channels)
        call("splat_forward", depth, context, cells, bev, samples, pixels, depth.shape[2], channels, area)
        return bev

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        depth, context, cells = ctx.saved_tensors
        samples, pixels, channels = context.shape
        gradient = gradient.contiguous()
        ddepth, dcontext = torch.empty_like(depth), torch.zeros_like(context)
        sizes = samples, pixels, depth.shape[2], channels, gradient.shape[1]
        call("splat_backward", gradient, depth, context, cells, ddepth, dcontext, *sizes)
        return ddepth, dcontext, None, None


def splat(depth: Tensor, context: Tensor, cells: Tensor, area: int) -> Tensor:
    """Sums depth [B, P, D] · context [B, P, C] into the cells that `cells` [B, P, D] (int32) names: [B, area, C].

    A cell below 0 takes nothing.
    """
    return _Splat.apply(depth, context, cells, area)


class _OccupancySums(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits: Tensor, labels: Tensor, weights: Tensor, unseen: int) -> Tensor:  # type: ignore[override]
        ctx.unseen = unseen
        ctx.save_for_backward(logits, labels, weights)
        totals = torch.zeros(len(logits), 3, len(weights), dtype=torch.float64)
        call("occupancy_sums_forward", logits, labels, weights, unseen, totals, *_voxels(labels, weights))
        return totals.float()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        logits, labels, weights = ctx.saved_tensors
        dlogits = _like(logits)
        arguments = gradient.contiguous(), logits, labels, weights, ctx.unseen, dlogits
        call("occupancy_sums_backward", *arguments, *_voxels(labels, weights))
        return dlogits, None, None, None


def occupancy_sums(logits: Tensor, labels: Tensor, class_weights: Tensor, unseen: int) -> tuple[Tensor, Tensor, Tensor]:
    """Over the voxels whose label isn't `unseen`, of each sample and class [B, K]: the sum of the shares that softmax
    gives the class; the same at voxels of that label alone; the weighted negative log shares of those.

    logits [B, nz·K, ny, nx] (channel z·K + class), labels [B, nz, ny, nx], class_weights [K].
    """
    share, at_label, loss = _OccupancySums.apply(logits, labels.contiguous(), class_weights, unseen).unbind(1)
    return share, at_label, loss


class _TaughtSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, taught, labels, weights, unseen):  # type: ignore[override]
        ctx.unseen = unseen
        ctx.save_for_backward(logits, taught, labels, weights)
        totals = torch.zeros(2, dtype=torch.float64)
        call("taught_sums_forward", logits, taught, labels, weights, unseen, totals, *_voxels(labels, weights))
        loss, weight = totals.float()
        ctx.mark_non_differentiable(weight)
        return loss, weight

    @staticmethod
    def backward(ctx, gradient, _):  # type: ignore[override]
        logits, taught, labels, weights = ctx.saved_tensors
        dlogits = _like(logits)
        arguments = gradient.item(), logits, taught, labels, weights, ctx.unseen, dlogits
        call("taught_sums_backward", *arguments, *_voxels(labels, weights))
        return dlogits, None, None, None, None


def taught_sums(
    logits: Tensor, taught: Tensor, labels: Tensor, class_weights: Tensor, unseen: int
) -> tuple[Tensor, Tensor]:
    """Over the voxels whose label isn't `unseen`, with a teacher's logits `taught`: Σ w·q·(−log p) and Σ w·q of the
    teacher's shares q and this network's p; the second has no gradient. Shapes as `occupancy_sums` has them."""
    return _TaughtSums.apply(logits, taught, labels.contiguous(), class_weights, unseen)


def _voxels(labels: Tensor, class_weights: Tensor) -> tuple[int, int, int, int]:
    samples, heights, ny, nx = labels.shape
    return samples, heights, len(class_weights), ny * nx
