"""The average forgets the random start, then follows slowly; the network itself is not touched."""

import torch
from torch import nn

from bdc_training.binary import BinaryConv2d
from bdc_training.weight_average import WeightAverage


def set_weight(network: nn.Module, value: float) -> None:
    with torch.no_grad():
        network.weight.fill_(value)


def test_the_first_step_replaces_the_random_start() -> None:
    network = nn.Linear(1, 1)
    average = WeightAverage(network, 0.9)
    set_weight(network, 5.0)
    average.update(network, 0)
    assert average.network.weight.item() == 5


def test_later_steps_move_by_the_decay() -> None:
    network = nn.Linear(1, 1)
    set_weight(network, 0.0)
    average = WeightAverage(network, 0.9)
    set_weight(network, 1.0)
    average.update(network, 1000)
    assert abs(average.network.weight.item() - 0.1) < 1e-6
    assert network.weight.item() == 1


def test_statistics_of_batch_norms_are_averaged_and_counters_copied() -> None:
    norm = nn.BatchNorm2d(1)
    average = WeightAverage(norm, 0.5)
    norm(torch.full((2, 1, 2, 2), 4.0))
    average.update(norm, 1000)
    assert average.network.running_mean.item() == norm.running_mean.item() / 2 != 0
    assert average.network.num_batches_tracked.item() == 1


def test_a_binary_weight_takes_the_sign_it_had_for_longer() -> None:
    conv = BinaryConv2d(1, 1, 1)
    set_weight(conv, 0.1)
    average = WeightAverage(conv, 0.9)
    for step in range(100, 130):
        set_weight(conv, -0.1 if step % 3 == 0 else 0.1)
        average.update(conv, step)
    assert conv.weight.item() < 0
    assert average.network(torch.ones(1, 1, 1, 1)).item() > 0


def test_the_average_has_no_gradient_and_evaluates() -> None:
    average = WeightAverage(nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)), 0.9)
    assert not average.network.training
    assert not any(parameter.requires_grad for parameter in average.network.parameters())
