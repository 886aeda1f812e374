"""Muon: what it makes of a gradient, and which weights it learns."""

import pytest
import torch
from torch import nn

from bdc_training.binary import BinaryConv2d, BinaryConvBlock
from bdc_training.muon import STEP_SIZE, Muon, orthogonalized
from bdc_training.optimizer import build_optimizers


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def of_rank(rank: int, rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(left singular vectors, random singular values from 1 to 4, right singular vectors)"""
    left, _ = torch.linalg.qr(torch.randn(rows, rank))
    right, _ = torch.linalg.qr(torch.randn(columns, rank))
    return left, 1 + 3 * torch.rand(rank), right


@pytest.mark.parametrize("shape", [(12, 30), (30, 12), (16, 16)])
@pytest.mark.parametrize("in_bfloat16", [False, True])
def test_singular_values_become_one_and_vectors_stay(
    shape: tuple[int, int], in_bfloat16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bdc_training.muon.multiplies_bfloat16", lambda _: in_bfloat16)
    left, values, right = of_rank(min(shape), *shape)
    within = left.T @ orthogonalized((left @ values.diag() @ right.T)[None])[0] @ right
    assert within.diagonal().min() > 0.6 and within.diagonal().max() < 1.3
    assert (within - within.diagonal().diag()).abs().max() < (0.1 if in_bfloat16 else 1e-4)


def test_matrices_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bdc_training.muon.multiplies_bfloat16", lambda _: False)
    matrices = torch.randn(3, 12, 30)
    for alone, together in zip(matrices, orthogonalized(matrices), strict=True):
        assert torch.allclose(together, orthogonalized(alone[None])[0], atol=1e-5)


def test_zeros_stay_zeros() -> None:
    assert torch.equal(orthogonalized(torch.zeros(1, 4, 8)), torch.zeros(1, 4, 8))


def test_a_step_goes_against_the_gradient_by_its_size_and_decays() -> None:
    weight = nn.Parameter(torch.randn(8, 3, 3, 3))
    before = weight.detach().clone()
    weight.grad = torch.randn(8, 3, 3, 3)
    Muon([{"params": [weight], "weight_decay": 0.5}], lr=0.1).step()
    update = (0.95 * before - weight.detach()) / 0.1
    matrix = orthogonalized(weight.grad.flatten(1)[None])[0].view(8, 3, 3, 3)
    assert torch.allclose(update, STEP_SIZE * 27**0.5 * matrix, atol=1e-4)
    assert (update * weight.grad).sum() > 0


def test_momentum_is_nesterovs() -> None:
    weight = nn.Parameter(torch.zeros(4, 4, 1, 1))
    first, second = torch.randn(2, 4, 4, 1, 1)
    optimizer = Muon([{"params": [weight]}], lr=1.0, momentum=0.5)
    for gradient in (first, second):
        before = weight.detach().clone()
        weight.grad = gradient
        optimizer.step()
    ahead = second + 0.5 * (0.5 * first + second)
    expected = STEP_SIZE * 2 * orthogonalized(ahead.flatten(1)[None])[0]
    assert torch.allclose((before - weight.detach()).flatten(1), expected, atol=1e-5)


def test_hidden_convolutions_are_muons_and_the_rest_adamws() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False),
        BinaryConvBlock(8, 8, 3),
        nn.Conv2d(8, 8, 3, groups=8, bias=False),
        nn.Conv2d(8, 4, 1),
        nn.Linear(4, 2),
    )
    adamw, muon = build_optimizers(network, "muon", 1e-3, 1e-2)
    hidden, block = network[0], network[1]
    assert isinstance(hidden, nn.Conv2d) and isinstance(block, BinaryConvBlock)
    assert isinstance(block.conv, BinaryConv2d)
    groups = {id(group["params"][0]): group["weight_decay"] for group in muon.param_groups}
    assert groups == {id(hidden.weight): 1e-2, id(block.conv.weight): 0.0}
    every = [p for optimizer in (adamw, muon) for group in optimizer.param_groups for p in group["params"]]
    assert len(every) == len({id(p) for p in every}) == len(list(network.parameters()))
    (alone,) = build_optimizers(network, "adamw", 1e-3, 1e-2)
    assert isinstance(adamw, torch.optim.AdamW) and isinstance(alone, torch.optim.AdamW)
    assert sum(len(group["params"]) for group in alone.param_groups) == len(every)
