from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from bdc_training.binary import BinaryConv2d
from bdc_training.classes import DETECTION_CLASSES, OCCUPANCY_CLASSES
from bdc_training.config import load_config
from bdc_training.config_sections import UnitConfig
from bdc_training.golden_networks import small_config
from bdc_training.network import build_network

EDGE = load_config(Path(__file__).resolve().parents[1] / "configs" / "edge.yaml")
SMALL = small_config(2, UnitConfig())


def scene(batch=1, cameras=2):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(batch, cameras, 3, 32, 64, generator=generator)
    rays = torch.randn(batch, cameras, 2, 4, 3, generator=generator)
    return images, rays, torch.randn(batch, cameras, 3, generator=generator)


def small_network():
    torch.manual_seed(0)
    return build_network(SMALL)


def test_outputs_have_the_shapes_of_the_interface():
    images, rays, origins = scene(batch=3)
    outputs = small_network()(images, rays, origins, None)
    assert {role: tuple(value.shape) for role, value in outputs.items()} == {
        "occupancy_logits": (3, 2 * len(OCCUPANCY_CLASSES), 12, 8),
        "depth_logits": (3, 2, 9, 2, 4),
        "heatmap": (3, len(DETECTION_CLASSES), 12, 8),
        "reg": (3, 2, 12, 8),
        "height": (3, 1, 12, 8),
        "dim": (3, 3, 12, 8),
        "rot": (3, 2, 12, 8),
        "vel": (3, 2, 12, 8),
    }


def test_only_stem_depth_layer_and_last_head_layers_of_the_shipped_network_are_real():
    real = {name for name, module in build_network(EDGE).named_modules() if isinstance(module, nn.Conv2d)}
    heads = {f"detection_head.maps.{role}" for role in ("heatmap", "reg", "height", "dim", "rot", "vel")}
    assert real == {
        "image_encoder.stem.conv1",
        "image_encoder.stem.conv2",
        "view_transformer.depth_context",
        "occupancy_head.logits",
        *heads,
    }


def test_the_shipped_network_stays_at_its_size():
    network = build_network(EDGE)
    binary = sum(m.weight.numel() for m in network.modules() if isinstance(m, BinaryConv2d))
    total = sum(p.numel() for p in network.parameters())
    assert binary == 3031040
    assert total - binary == 63087


def test_the_bev_encoder_can_be_made_of_the_published_residual_blocks():
    config = replace(SMALL, bev_encoder=replace(SMALL.bev_encoder, blocks="residual"))
    network = build_network(config).eval()
    kinds = [type(block.first).__name__ for block in (*network.bev_encoder.down1, *network.bev_encoder.down2)]
    assert kinds == ["BDCUnit", "BDCUnit", "DownSample", "BDCUnit"]
    assert network(*scene())["occupancy_logits"].shape == (1, 36, 12, 8)


def test_a_heatmap_starts_at_its_prior():
    network = small_network()
    assert torch.allclose(torch.sigmoid(network.detection_head.maps["heatmap"].bias), torch.tensor(0.1), atol=1e-3)


def test_a_masked_camera_contributes_nothing():
    network = small_network().eval()
    images, rays, origins = scene()
    mask = torch.tensor([[True, False]])
    with torch.no_grad():
        masked = network(images, rays, origins, mask)
        other = network(torch.cat([images[:, :1], torch.randn_like(images[:, 1:])], 1), rays, origins, mask)
        alone = network(images[:, :1], rays[:, :1], origins[:, :1])
        both = network(images, rays, origins)
    assert torch.equal(masked["occupancy_logits"], other["occupancy_logits"])
    assert torch.allclose(masked["occupancy_logits"], alone["occupancy_logits"], atol=1e-5)
    assert not torch.allclose(masked["occupancy_logits"], both["occupancy_logits"], atol=1e-2)


def test_samples_of_a_batch_dont_mix_in_evaluation():
    network = small_network().eval()
    images, rays, origins = scene(batch=2)
    with torch.no_grad():
        together = network(images, rays, origins)
        second = network(images[1:], rays[1:], origins[1:])
    for role, value in second.items():
        assert torch.allclose(together[role][1:], value, atol=1e-5), role


def test_a_step_of_training_reaches_every_parameter():
    network = small_network().train()
    outputs = network(*scene(batch=2))
    sum(value.square().mean() for value in outputs.values()).backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert without == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_encoder": replace(SMALL.image_encoder, channels=(6, 12, 20))}, "image_encoder.channels"),
        ({"bev_encoder": replace(SMALL.bev_encoder, channels=(16, 30))}, "bev_encoder.channels"),
        ({"grid": replace(SMALL.grid, shape=(8, 10, 2))}, "divisible by 4"),
    ],
)
def test_sizes_that_dont_fit_together_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build_network(replace(SMALL, **change))
