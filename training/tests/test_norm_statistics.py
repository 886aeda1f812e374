"""Batch norms' statistics estimated anew."""

import pytest
import torch
from tiny_config import write_tiny_config
from tiny_dataset import write_tiny_dataset
from torch import nn

from bdc_training.config import load_config
from bdc_training.network import build_network
from bdc_training.norm_statistics import estimate_norm_statistics, spread_batches
from bdc_training.training_data import batch_maker


def test_statistics_are_the_means_of_the_batches(tmp_path) -> None:
    write_tiny_config(tmp_path / "tiny.yaml")
    write_tiny_dataset(tmp_path / "data", samples=4)
    config = load_config(tmp_path / "tiny.yaml")
    network, maker = build_network(config), batch_maker(config, tmp_path / "data")
    weights = [parameter.detach().clone() for parameter in network.parameters()]
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    batches = [[0, 1], [2, 3]]

    # With a momentum of one a batch norm keeps the statistics of the last batch alone.
    expected = [torch.zeros_like(norm.running_mean) for norm in norms]
    for indices in batches:
        network.train()
        for norm in norms:
            norm.momentum = 1.0
        network(*maker.plain(indices).inputs)
        expected = [mean + norm.running_mean / 2 for mean, norm in zip(expected, norms, strict=True)]
    for norm in norms:
        norm.momentum = 0.1

    estimate_norm_statistics(network, maker, batches)
    for norm, mean in zip(norms, expected, strict=True):
        torch.testing.assert_close(norm.running_mean, mean)
        assert norm.momentum == 0.1
    assert not any(module.training for module in network.modules())
    assert all(torch.equal(a, b) for a, b in zip(weights, network.parameters(), strict=True))


@pytest.mark.parametrize(
    ("samples", "available", "size", "expected"),
    [
        (4, 8, 2, [[0, 2], [4, 6]]),
        (5, 5, 2, [[0, 1], [2, 3]]),
        (9, 3, 2, [[0, 1]]),
        (1, 3, 2, [[0]]),
    ],
)
def test_batches_are_spread_over_the_data_set(samples: int, available: int, size: int, expected: list) -> None:
    assert spread_batches(samples, available, size) == expected
