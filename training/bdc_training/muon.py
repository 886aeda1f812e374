"""Muon: momentum whose steps are orthogonal matrices (K. Jordan et al., https://kellerjordan.github.io/posts/muon), of
AdamW's size (arXiv 2502.16982). PyTorch's own (from 2.9 on) takes matrices only, this one convolutions too."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from .processor import multiplies_bfloat16

# Of the odd polynomial a·x + b·x³ + c·x⁵ that takes singular values in (0, 1] to about 1 when it is applied five times.
COEFFICIENTS = 3.4445, -4.7750, 2.0315
ITERATIONS = 5
# Root mean square of a step at a learning rate of 1, about AdamW's.
STEP_SIZE = 0.2


class Muon(torch.optim.Optimizer):
    """For weights [channels_out, channels_in, kh, kw], taken as matrices [channels_out, channels_in·kh·kw]."""

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, momentum: float = 0.95) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            for weight, update in zip(weights, self._updates(weights, group["momentum"]), strict=True):
                weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"])

    def _updates(self, weights: list[Tensor], momentum: float) -> list[Tensor]:
        """Of Nesterov's momentum, in the weights' shapes. Matrices of one shape go together: most are small."""
        if not weights:
            return []
        gradients = [weight.grad for weight in weights]
        for weight in weights:
            if not self.state[weight]:
                self.state[weight]["momentum"] = torch.zeros_like(weight)
        sums = [self.state[weight]["momentum"] for weight in weights]
        torch._foreach_mul_(sums, momentum)
        torch._foreach_add_(sums, gradients)
        ahead = torch._foreach_add(gradients, sums, alpha=momentum)
        of_shape: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for index, weight in enumerate(weights):
            of_shape[weight.shape[0], weight[0].numel()].append(index)
        updates = list(ahead)
        for (rows, columns), indices in of_shape.items():
            scale = STEP_SIZE * max(rows, columns) ** 0.5
            matrices = orthogonalized(torch.stack([ahead[i].flatten(1) for i in indices])) * scale
            for index, matrix in zip(indices, matrices, strict=True):
                updates[index] = matrix.view_as(weights[index])
        return updates


def orthogonalized(matrices: Tensor) -> Tensor:
    """[N, rows, columns] with singular values near 1 (0.7 to 1.2) in place of their own, the singular vectors kept.

    Zeros stay zeros. In bfloat16 where the device multiplies it.
    """
    a, b, c = COEFFICIENTS
    is_tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if is_tall else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    if multiplies_bfloat16(x.device):
        x = x.bfloat16()
    for _ in range(ITERATIONS):
        square = x @ x.transpose(1, 2)
        polynomial = torch.baddbmm(square, square, square, beta=b, alpha=c)
        x = torch.baddbmm(x, polynomial, x, beta=a)
    x = x.transpose(1, 2) if is_tall else x
    return x.to(matrices.dtype)
