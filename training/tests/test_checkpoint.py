"""A checkpoint that can't be read says why."""

from pathlib import Path

import pytest
import torch
from tiny_checkpoint import save_network

from bdc_training.binary import BinaryConvBlock
from bdc_training.checkpoint import load_checkpoint, load_weights, start_from


def layer() -> torch.nn.Module:
    return torch.nn.Conv2d(2, 2, 3).to(memory_format=torch.channels_last)


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = save_network(tmp_path / "checkpoint.pt", layer())
    loaded = load_checkpoint(tmp_path / "checkpoint.pt")
    assert (loaded.step, loaded.progress, loaded.seconds) == (7, 0.25, 12.5)
    assert torch.equal(loaded.network["weight"], saved.network["weight"])
    assert torch.equal(loaded.optimizer[0]["state"][0]["exp_avg"], saved.optimizer[0]["state"][0]["exp_avg"])


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_network(path, layer())
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"checkpoint\.pt: not a checkpoint, or a damaged one"):
        load_checkpoint(path)
    path.write_text("hello")
    with pytest.raises(ValueError, match=r"checkpoint\.pt: not a checkpoint, or a damaged one"):
        load_checkpoint(path)


def test_a_checkpoint_of_another_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"step": 3, "network": {}}, path)
    with pytest.raises(ValueError, match=r"expected a checkpoint with .*; found \['network', 'step'\]: of another"):
        load_checkpoint(path)


def test_weights_of_another_network_are_refused_with_the_checkpoints_name(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_network(path, BinaryConvBlock(4, 6, 3))
    with pytest.raises(ValueError, match=r"checkpoint\.pt: of another network than the config's.*size mismatch"):
        load_weights(BinaryConvBlock(8, 6, 3), path)
    assert load_weights(BinaryConvBlock(4, 6, 3), path).step == 7


def test_a_binary_network_starts_from_its_twins_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    twin, binary = (BinaryConvBlock(4, 6, 3, precision=precision) for precision in ("full", "binary"))
    save_network(tmp_path / "checkpoint.pt", twin)
    start_from(binary, tmp_path)
    assert torch.equal(binary.conv.weight, twin.conv.weight)
    assert torch.equal(binary.sign.scale, torch.ones(4))


def test_a_run_of_another_network_is_no_start(tmp_path: Path) -> None:
    save_network(tmp_path / "checkpoint.pt", BinaryConvBlock(4, 6, 3, precision="full"))
    with pytest.raises(ValueError, match=r"needs the layers of this network; 1 of its weights .* conv\.weight"):
        start_from(BinaryConvBlock(8, 6, 3), tmp_path)
