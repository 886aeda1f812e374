"""Class offsets turn probabilities into better decisions."""

import numpy as np
import pytest
import torch
from tiny_config import write_tiny_config

from bdc_training.calibrate import CLASSES, Layer, absent_classes, add_offsets, fit_offsets, main
from bdc_training.classes import FREE
from bdc_training.config import load_config
from bdc_training.network import build_network
from bdc_training.sample_spec import UNSEEN

CAR = 4


def test_a_class_that_is_never_the_most_likely_is_found_again() -> None:
    # Free voxels are sure of being free; car voxels lean to free too, but less.
    labels = torch.tensor([FREE] * 90 + [CAR] * 10)
    logits = torch.zeros(100, CLASSES)
    logits[:, FREE] = torch.where(labels == FREE, 6.0, 4.0)
    logits[:, CAR] = 2.6
    assert not (logits.argmax(1) == CAR).any()
    (offsets,) = fit_offsets([Layer(logits, labels)])
    assert torch.equal((logits + offsets).argmax(1), labels)
    assert offsets[0] == 0  # a class that doesn't occur


def test_each_height_gets_its_own_offset() -> None:
    # At the lower height cars lean to free, at the upper one free voxels lean to car: no common offset mends both.
    labels = torch.tensor([FREE] * 50 + [CAR] * 50)
    logits = torch.zeros(2, 100, CLASSES)
    logits[..., FREE] = torch.where(labels == FREE, 4.0, 2.0)
    logits[0, :, CAR], logits[1, :, CAR] = 1.0, 5.0
    layers = [Layer(values, labels) for values in logits]
    offsets = fit_offsets(layers)
    for layer, own in zip(layers, offsets, strict=True):
        assert torch.equal((layer.logits + own).argmax(1), labels)


def test_offsets_land_on_their_class_at_every_height(tmp_path) -> None:
    write_tiny_config(tmp_path / "tiny.yaml")
    network = build_network(load_config(tmp_path / "tiny.yaml"))
    before = network.occupancy_head.logits.bias.detach().clone().reshape(8, CLASSES)
    offsets = torch.zeros(8, CLASSES)
    offsets[:, CAR] = torch.arange(8)
    add_offsets(network, offsets)
    after = network.occupancy_head.logits.bias.detach().reshape(8, CLASSES)
    assert torch.allclose(after[:, CAR], before[:, CAR] + torch.arange(8))
    assert torch.equal(after[:, FREE], before[:, FREE])


def test_classes_of_no_sample_are_named() -> None:
    class Labels:
        def __len__(self) -> int:
            return 2

        def labels(self, index: int) -> np.ndarray:
            known = set(range(CLASSES)) - {0, 9}
            labels = np.array(sorted(known - ({CAR} if index == 0 else set())), dtype=np.uint8)
            return np.append(labels, np.uint8(UNSEEN))

    assert absent_classes(Labels()) == [0, 9]


def test_norm_samples_may_be_none_but_not_less(capsys: pytest.CaptureFixture[str]) -> None:
    paths = [word for name in ("config", "checkpoint", "data", "out") for word in (f"--{name}", "nowhere")]
    assert main([*paths, "--norm-samples", "0"]) == 2
    assert "nowhere" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*paths, "--norm-samples", "-1"])
    assert "--norm-samples: expected a whole number, 0 or above; found '-1'" in capsys.readouterr().err
