import math
from xml.etree import ElementTree

import pytest
import torch

from bdc_training.binarization_error import (
    STACKS,
    Stack,
    _twins,
    expected_output_error,
    main,
    measure,
    random_features,
    single_layer,
)
from bdc_training.line_chart import Line, line_chart_svg


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_wide_random_networks_have_the_expected_error_for_both_kernel_sizes(stack: Stack):
    error = measure(stack, "white", added=2, channels=48, size=12, seed=0)
    assert error.output == pytest.approx(expected_output_error(stack.signed, 2), abs=0.03)


def test_the_expected_correlation_of_signed_gaussians_is_two_over_pi():
    assert expected_output_error(signed=True, added=0) == [1 - (2 / math.pi) ** 2]


def test_the_expected_error_agrees_with_samples_of_one_added_real_input_layer():
    """The same integrals by drawing: z and its binary twin at ρ = 2/π through RPReLU, weights rounded after it."""
    torch.manual_seed(0)
    rho, slope = 2 / math.pi, 0.25
    z = torch.randn(2_000_000, dtype=torch.float64)
    twin = rho * z + math.sqrt(1 - rho**2) * torch.randn_like(z)
    pair = torch.stack([torch.where(t > 0, t, slope * t) for t in (z, twin)])
    drawn = math.sqrt(2 / math.pi) * torch.corrcoef(pair)[0, 1].item()
    assert expected_output_error(signed=False, added=1)[1] == pytest.approx(1 - drawn**2, abs=0.003)


def test_a_layers_absolute_error_follows_its_fan_in_not_its_extent():
    pointwise, spatial, wide = single_layer(1, 8, 16, 0), single_layer(3, 8, 16, 0), single_layer(1, 72, 16, 0)
    assert spatial.absolute / pointwise.absolute == pytest.approx(3, rel=0.15)
    assert wide.absolute == pytest.approx(spatial.absolute, rel=0.1)
    assert spatial.absolute_unit_gain == pytest.approx(pointwise.absolute_unit_gain, rel=0.15)


def test_twins_share_their_weights_and_nothing_else():
    binary, real = _twins(Stack(1, signed=True), added=2, channels=4)
    assert [tuple(block.conv.weight.shape[2:]) for block in binary] == [(3, 3), (1, 1), (1, 1)]
    for block, twin in zip(binary, real, strict=True):
        assert torch.equal(block.conv.weight, twin.conv.weight)
        assert block.conv.weight is not twin.conv.weight
        assert block.sign is not None and twin.sign is None


def test_smooth_features_have_unit_variance_and_equal_neighbours():
    x = random_features("smooth", 2, 16, 32)
    neighbours = torch.corrcoef(torch.stack([x[..., 1:].flatten(), x[..., :-1].flatten()]))[0, 1]
    assert x.shape == (2, 16, 32, 32)
    assert x.std().item() == pytest.approx(1, abs=0.05)
    assert neighbours > 0.8


def test_the_command_prints_tables_and_writes_plots(tmp_path, capsys):
    assert main(["--added", "1", "--channels", "8", "--size", "6", "--seeds", "2", "--plot", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "| 1×1, 2 | 2 |" in printed
    assert printed.count("\n| 1 |") == 2
    for quantity in ("output", "gradient"):
        ElementTree.parse(tmp_path / f"binarization-{quantity}-error.svg")


def test_the_command_names_a_bad_number(capsys):
    assert main(["--seeds", "0"]) == 2
    assert "--seeds: expected 1 or more; found 0" in capsys.readouterr().err


def test_a_chart_draws_each_value_at_its_height():
    svg = ElementTree.fromstring(line_chart_svg("t", "x", "y", [Line("a < b", [0.0, 1.0], [0.0, 0.0], "#000")]))
    (line,) = svg.iter("{http://www.w3.org/2000/svg}polyline")
    assert line.get("points") == "64.0,368.0 520.0,40.0"
