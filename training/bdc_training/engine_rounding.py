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
    """eˣ of x between −87 and 87, which it is clamped to: 2 to the power of a whole number and of a part within ±½."""
    power = x.clamp(-87, 87) * 1.44269504
    n = (power + 12582912.0) - 12582912.0
    r = power - n
    p = r * 1.326472731e-3
    for coefficient in (9.671512991e-3, 5.550733581e-2, 2.402224243e-1, 6.931470037e-1):
        p = (p + coefficient) * r
    return (p + 1.0) * torch.exp2(n)


def softmax(x: Tensor) -> Tensor:
    """Over the channels of [N, C, H, W]."""
    powers = exponential(x - x.amax(1, keepdim=True))
    total = powers[:, 0]
    for channel in powers.unbind(1)[1:]:
        total = total + channel
    return powers * (1 / total)[:, None]


def upsample_twice(x: Tensor) -> Tensor:
    """Bilinear, twice as large: between columns first, then between rows; the first one stays what it is."""
    for axis in (3, 2):
        first, last = x.narrow(axis, 0, 1), x.narrow(axis, x.shape[axis] - 1, 1)
        rest = x.narrow(axis, 1, x.shape[axis] - 1)
        before = x.narrow(axis, 0, x.shape[axis] - 1)
        even = torch.cat([first, before * 0.25 + rest * 0.75], axis)
        odd = x * 0.75 + torch.cat([rest, last], axis) * 0.25
        x = torch.stack([even, odd], axis + 1).flatten(axis, axis + 1)
    return x


def matrix(x: Tensor, signs: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
    """A 1×1 convolution, weights ±1 [O, C], of single pixels [N, C, 1, 1]: channel after channel, scale, bias."""
    y = torch.zeros(len(signs))
    for channel in range(x.shape[1]):
        y = y + x[:, channel].view(-1, 1) * signs[:, channel]
    y = y * scale.flatten()
    return (y if bias is None else y + bias.flatten())[:, :, None, None]


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
    bias = call.channels("bias") if "bias" in call.weights else None
    return matrix(call.x, call.signs()[:, :, 0, 0], call.channels("scale"), bias)


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
