"""How well features of two frames fit each other at each depth (BEVStereo, arXiv 2209.10248).

As the published code of BEVDet and BDC-Occ has it: no learned weights, no gradient.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .calibration import INTRINSICS, MOUNT, PIXELS
from .previous import Previous

# Points nearer to the previous camera's plane than this, metres, count as behind it.
NEAREST = 1e-3
# Channels that are compared at a time. The first of the last group marks what the previous image doesn't show, where
# its sampled value is 0; features behind a ReLU may be 0 elsewhere too, as in the published code.
GROUP = 4


def camera_motion(current: Tensor, previous: Tensor, motion: Tensor) -> Tensor:
    """float64 [B, N, 4, 4]: each camera's optical frame now → its optical frame then, from the parameters [B, N, 27] of
    both and the motion [B, 4, 4] of the ego frame (now → then)."""
    return torch.linalg.inv(_mounts(previous)) @ motion.unsqueeze(1) @ _mounts(current)


def cost_volume(
    features: Tensor,
    before: Tensor,
    parameters: Tensor,
    parameters_before: Tensor,
    motion: Tensor,
    depths: Sequence[float],
    stride: int,
    bias: float,
) -> Tensor:
    """A distribution over the depths of each cell: [N, C, h, w] of both frames → [N, D, h, w].

    parameters [N, 27] (bdc_training.calibration), motion [N, 4, 4] (`camera_motion`). Cells are `stride` pixels of the
    network's image; the cost of a depth is Σ |features − those of the previous frame at that depth|, plus `bias` where
    the previous image doesn't show it.
    """
    places = _places(parameters, parameters_before, motion, features.shape[-2:], depths, stride).to(features)
    shape = (len(features), len(depths), *features.shape[-2:])
    cost = features.new_zeros(shape)
    sampled = features
    for first in range(0, features.shape[1], GROUP):
        sampled = F.grid_sample(
            before[:, first : first + GROUP],
            places.flatten(1, 2),
            mode="bilinear",
            padding_mode="zeros",
            align_corners=True,
        )
        current = features[:, first : first + GROUP].unsqueeze(2)
        cost += (current - sampled.view(len(features), -1, *shape[1:])).abs().sum(1)
    return (-cost - bias * (sampled[:, 0].view(shape) == 0)).softmax(1)


def stereo_volume(
    features: Tensor,
    before: Tensor,
    parameters: Tensor,
    previous: Previous,
    mask: Tensor | None,
    depths: Sequence[float],
    stride: int,
    bias: float,
) -> Tensor:
    """`cost_volume` of B samples of N cameras, [B·N, …]: 0 for samples without a frame before, and for cameras that
    have no image in one of both."""
    motion = camera_motion(parameters, previous.parameters, previous.motion).flatten(0, 1)
    volume = cost_volume(
        features, before, parameters.flatten(0, 1), previous.parameters.flatten(0, 1), motion, depths, stride, bias
    )
    seen = previous.exists.unsqueeze(1) & previous.camera_mask.bool()
    if mask is not None:
        seen = seen & mask.bool()
    return torch.where(seen.flatten().view(-1, 1, 1, 1), volume, 0.0)


def _mounts(parameters: Tensor) -> Tensor:
    mounts = torch.zeros(*parameters.shape[:-1], 4, 4, dtype=torch.float64, device=parameters.device)
    mounts[..., :3, :] = parameters[..., MOUNT].double().unflatten(-1, (3, 4))
    mounts[..., 3, 3] = 1
    return mounts


def _places(
    parameters: Tensor,
    parameters_before: Tensor,
    motion: Tensor,
    shape: tuple[int, int],
    depths: Sequence[float],
    stride: int,
) -> Tensor:
    """Where each cell at each depth was in the previous image, for grid_sample: float64 [N, D, h, w, 2]."""
    rows, columns = shape
    width, height = columns * stride - 1, rows * stride - 1
    like = {"dtype": torch.float64, "device": parameters.device}
    u = torch.linspace(0, width, columns, **like).expand(rows, columns)
    v = torch.linspace(0, height, rows, **like).unsqueeze(1).expand(rows, columns)
    rays = (
        torch.stack([u, v, torch.ones_like(u)], -1)
        @ torch.linalg.inv(_projections(parameters)).transpose(1, 2)[:, None]
    )
    depth = torch.tensor(depths, **like).view(1, -1, 1, 1, 1)
    points = rays.unsqueeze(1) * depth @ motion[:, None, None, :3, :3].transpose(-1, -2)
    points = points + motion[:, None, None, None, :3, 3]
    pixels = points @ _projections(parameters_before)[:, None, None].transpose(-1, -2)
    places = pixels[..., :2] / pixels[..., 2:] / torch.tensor([width, height], **like) * 2 - 1
    return torch.where(points[..., 2:] >= NEAREST, places, -2.0)


def _projections(parameters: Tensor) -> Tensor:
    """[N, 3, 3]: the network image's pixel, times its depth, from a point in the optical frame."""
    fx, fy, cx, cy = parameters[:, INTRINSICS].double().unbind(1)
    camera = torch.zeros(len(parameters), 3, 3, dtype=torch.float64, device=parameters.device)
    camera[:, 0, 0], camera[:, 0, 2], camera[:, 1, 1], camera[:, 1, 2], camera[:, 2, 2] = fx, cx, fy, cy, 1
    image = torch.zeros_like(camera)
    image[:, :2] = parameters[:, PIXELS].double().unflatten(1, (2, 3))
    image[:, 2, 2] = 1
    return image @ camera
