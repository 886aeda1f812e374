"""The operations whose results depend on the order of their steps, in the native engine's order, each step one IEEE
operation in float32 (docs/model-format.md, "Order of rounding").

A binary network makes little of a difference in the last bit, until one falls on the other side of a threshold: then
hundreds of voxels may change. With these operations PyTorch's voxels can be compared with the engine's one by one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .config_sections import GridConfig
from .run_graph import PLAIN, Arithmetic, Call

# Pixels of a block of the engine, and partial sums of one.
BLOCK, PARTS = 512, 16


def mean_of_planes(x: Tensor) -> Tensor:
    """[N, C, H, W] → [N, C, 1, 1]: blocks of 512 pixels, each by sixteen sums; sums of blocks are added in float64."""
    pixels = x[0, 0].numel()
    blocks = F.pad(x.flatten(2), (0, -pixels % BLOCK)).unflatten(2, (-1, BLOCK // PARTS, PARTS))
    parts = blocks[:, :, :, 0]
    for step in range(1, BLOCK // PARTS):
        parts = parts + blocks[:, :, :, step]
    while parts.shape[3] > 1:
        low, high = parts.chunk(2, dim=3)
        parts = low + high
    total = torch.zeros(x.shape[:2], dtype=torch.float64)
    for block in parts[..., 0].unbind(2):
        total = total + block.double()
    return (total / pixels).float()[:, :, None, None]


def exponential(x: Tensor) -> Tensor:
    """eˣ of x between −87 and 87, which it is clamped to: Cephes' expf after Cody and Waite's reduction."""
    x = x.clamp(-87, 87)
    shifted = x * 1.44269504 + 12582912.0
    n = shifted - 12582912.0
    r = (x - n * 0.693359375) + n * 2.12194440e-4
    p = r * 1.9875691500e-4
    for coefficient in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1):
        p = (p + coefficient) * r
    p = p + 5.0000001201e-1
    p = p * (r * r) + r + 1.0
    return p * torch.exp2(n)


def softmax(x: Tensor) -> Tensor:
    """Over the channels of [N, C, H, W]."""
    powers = exponential(x - x.amax(1, keepdim=True))
    total = powers[:, 0]
    for channel in powers.unbind(1)[1:]:
        total = total + channel
    return powers * (1 / total)[:, None]


def upsample_twice(x: Tensor) -> Tensor:
    """Bilinear, twice as large: between rows first, then between columns."""
    for axis in (2, 3):
        before = torch.cat([x.narrow(axis, 0, 1), x.narrow(axis, 0, x.shape[axis] - 1)], axis)
        after = torch.cat([x.narrow(axis, 1, x.shape[axis] - 1), x.narrow(axis, x.shape[axis] - 1, 1)], axis)
        pair = torch.stack([before * 0.25 + x * 0.75, x * 0.75 + after * 0.25], axis + 1)
        x = pair.flatten(axis, axis + 1)
    return x


def matrix(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A 1×1 convolution, weight [O, C], of single pixels [N, C, 1, 1]: the bias, then channel after channel."""
    y = torch.zeros(len(weight)) if bias is None else bias.flatten()
    for channel in range(x.shape[1]):
        y = y + x[:, channel].view(-1, 1) * weight[:, channel]
    return y[:, :, None, None]


def splat(depth: Tensor, context: Tensor, cells: Tensor, grid: GridConfig) -> Tensor:
    """As bdc_training.view_transformer's; a cell's points by camera, then depth bin, then pixel. For one sample."""
    nx, ny, _ = grid.shape
    by_depth = cells[0].permute(0, 3, 1, 2)
    camera, bin_, row, column = (by_depth >= 0).nonzero(as_tuple=True)
    values = depth[0, camera, bin_, row, column, None] * context[0].permute(0, 2, 3, 1)[camera, row, column]
    rows = by_depth[camera, bin_, row, column].long()
    bev = values.new_zeros(ny * nx, context.shape[2]).index_add(0, rows, values)
    return bev.view(1, ny, nx, -1).permute(0, 3, 1, 2)


def _binary_conv2d(call: Call) -> Tensor:
    is_matrix = call.x.shape[2:] == (1, 1) and "activation_scale" not in call.attributes
    # Sums of signs are exact.
    if not is_matrix or bool((call.x.abs() == 1).all()):
        return PLAIN.operations["binary_conv2d"](call)
    weight = (call.signs() * call.channels("scale").view(-1, 1, 1, 1))[:, :, 0, 0]
    return matrix(call.x, weight, call.channels("bias") if "bias" in call.weights else None)


def _upsample2d(call: Call) -> Tensor:
    if call.attributes["mode"] == "bilinear" and call.attributes["factor"] == 2:
        return upsample_twice(call.x)
    return PLAIN.operations["upsample2d"](call)


ENGINE = Arithmetic(
    operations={
        **PLAIN.operations,
        "binary_conv2d": _binary_conv2d,
        "global_avg_pool2d": lambda call: mean_of_planes(call.x),
        "sigmoid": lambda call: 1 / (1 + exponential(-call.x)),
        "softmax": lambda call: softmax(call.x),
        "upsample2d": _upsample2d,
    },
    splat=splat,
)
