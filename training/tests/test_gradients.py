"""Gradient clipping and norms by module."""

import math

import pytest
import torch
from tiny_config import write_tiny_config
from torch import nn

from bdc_training.config import load_config
from bdc_training.gradients import clip_gradients, module_of, total_norm
from bdc_training.network import build_network


def network_with_gradients() -> nn.Module:
    torch.manual_seed(0)
    network = nn.ModuleDict({"a": nn.ModuleDict({"x": nn.Linear(3, 4)}), "b": nn.ModuleDict({"y": nn.Linear(4, 2)})})
    network["b"]["y"](network["a"]["x"](torch.randn(5, 3))).square().sum().backward()
    return network


def test_clipping_is_that_of_pytorch() -> None:
    ours, theirs = network_with_gradients(), network_with_gradients()
    norms = clip_gradients(ours, 1.0)
    assert total_norm(norms) == pytest.approx(nn.utils.clip_grad_norm_(theirs.parameters(), 1.0).item(), rel=1e-6)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-5, atol=0)


def test_norms_are_of_each_module_before_clipping() -> None:
    network = network_with_gradients()
    expected = math.hypot(*(p.grad.norm().item() for p in network["a"].parameters()))
    assert clip_gradients(network, 1e-3)["a.x"] == pytest.approx(expected, rel=1e-6)


def test_a_small_gradient_and_one_that_is_not_finite_stay() -> None:
    network = network_with_gradients()
    before = [p.grad.clone() for p in network.parameters()]
    clip_gradients(network, 1e6)
    assert all(torch.equal(p.grad, b) for p, b in zip(network.parameters(), before, strict=True))
    network["a"]["x"].bias.grad[1] = math.inf
    norms = clip_gradients(network, 1.0)
    assert math.isinf(norms["a.x"]) and math.isfinite(norms["b.y"])
    assert torch.equal(network["b"]["y"].bias.grad, before[-1])


def test_modules_are_the_parts_a_reader_of_the_network_knows(tmp_path) -> None:
    write_tiny_config(tmp_path / "tiny.yaml")
    network = build_network(load_config(tmp_path / "tiny.yaml"))
    modules = {module_of(name) for name, _ in network.named_parameters()}
    assert {
        "image_encoder.stem",
        "image_encoder.stages.0",
        "view_transformer.depth_context",
        "bev_encoder.down1.0",
        "bev_encoder.up2",
        "occupancy_head.logits",
        "detection_head.heatmap",
    } <= modules
