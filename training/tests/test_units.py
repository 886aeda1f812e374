import pytest
import torch
import torch.nn.functional as F

from bdc_training.config_sections import UnitConfig
from bdc_training.graph_builder import GraphBuilder
from bdc_training.run_graph import run_graph
from bdc_training.units import BDCUnit, Residual


def unit(version, channels_in=8, channels_out=8, stride=1, **options):
    torch.manual_seed(0)
    return BDCUnit(channels_in, channels_out, UnitConfig(version=version, **options), stride).eval()


def random_input(channels=8):
    return torch.randn(2, channels, 6, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("version", ["V0", "V1", "V2", "V3"])
@pytest.mark.parametrize("pointwise_input", ["sign", "real"])
@pytest.mark.parametrize(("channels_out", "stride"), [(8, 1), (16, 1), (8, 2), (16, 2), (4, 1)])
def test_every_version_maps_channels_and_halves_the_size_at_stride_2(version, pointwise_input, channels_out, stride):
    y = unit(version, 8, channels_out, stride, pointwise_input=pointwise_input)(random_input())
    assert y.shape == (2, channels_out, 6 // stride, 4 // stride)


def test_v0_is_one_binary_3x3_that_maps_the_channels_itself():
    module = unit("V0", 8, 16)
    assert module.spatial.conv.weight.shape == (16, 8, 3, 3)
    assert module.pointwise is None and module.refinement is None
    x = random_input()
    assert torch.equal(module(x), module.spatial(x) + torch.cat([x, x], 1))


def test_v1_keeps_the_channels_in_the_3x3_and_maps_them_in_the_1x1():
    module = unit("V1", 8, 16)
    assert module.spatial.conv.weight.shape == (8, 8, 3, 3)
    assert module.pointwise.conv.weight.shape == (16, 8, 1, 1)
    x = random_input()
    assert torch.equal(module(x), module.pointwise(module.spatial(x)) + torch.cat([x, x], 1))


def test_v2_ends_its_body_with_more_binary_1x1_layers():
    module = unit("V2")
    x = random_input()
    body = module.refinement.expand(module.refinement.squeeze(module.pointwise(module.spatial(x))))
    assert torch.equal(module(x), body + x)


def test_v3_weighs_the_channels_of_v1_by_their_global_average():
    module = unit("V3")
    x = random_input()
    y = module.pointwise(module.spatial(x))
    gate = torch.sigmoid(module.refinement(F.adaptive_avg_pool2d(y, 1)))
    assert gate.shape == (2, 8, 1, 1)
    assert torch.allclose(module(x), y * gate + x, atol=1e-6)


def test_reduction_narrows_the_refinement_branch():
    module = unit("V3", reduction=4)
    assert module.refinement.squeeze.conv.weight.shape == (2, 8, 1, 1)
    assert module.refinement.expand.conv.weight.shape == (8, 2, 1, 1)


def test_only_the_3x3_is_signed_where_the_1x1_layers_take_real_input():
    real, signed = unit("V3", pointwise_input="real"), unit("V3", pointwise_input="sign")
    assert real.spatial.sign is not None and signed.spatial.sign is not None
    for module, expected in ((real, False), (signed, True)):
        layers = (module.pointwise, module.refinement.squeeze, module.refinement.expand)
        assert [layer.sign is not None for layer in layers] == [expected] * 3


def test_batch_norms_follow_the_configuration():
    bare = unit("V3", batch_norm=False)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in bare.modules())
    normed = unit("V3", residual_batch_norm=True)
    assert normed.residual.norm is not None and normed.spatial.norm is not None and normed.pointwise.norm is not None


def test_the_residual_of_stride_2_is_a_2x2_average():
    x = random_input()
    y = Residual(8, 8, 2, batch_norm=False)(x)
    assert torch.allclose(y, (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4)


def test_the_residual_of_twice_the_channels_is_the_input_concatenated_with_itself():
    x = random_input()
    y = Residual(8, 16, 1, batch_norm=False)(x)
    assert torch.equal(y[:, :8], x) and torch.equal(y[:, 8:], x)


def test_the_residual_of_fewer_channels_averages_equal_parts():
    x = random_input()
    assert torch.allclose(Residual(8, 4, 1, batch_norm=False)(x), (x[:, :4] + x[:, 4:]) / 2)


def test_gradients_reach_every_parameter():
    module = unit("V3").train()
    module(random_input()).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((8, 12, 1), {}, "multiple"),
        ((8, 8, 3), {}, "stride 3"),
        ((8, 8, 1), {"version": "V4"}, "one of V0, V1, V2, V3"),
        ((8, 8, 1), {"reduction": 3}, "reduction"),
        ((8, 8, 1), {"reduction": 0}, "reduction"),
    ],
)
def test_impossible_units_are_refused(arguments, options, message):
    channels_in, channels_out, stride = arguments
    with pytest.raises(ValueError, match=message):
        BDCUnit(channels_in, channels_out, UnitConfig(**options), stride)


def test_further_pointwise_layers_follow_the_first_in_training_and_export():
    module, x = unit("V1", 8, 16, pointwise_layers=3), random_input()
    assert [block.conv.weight.shape for block in module.further_pointwise] == [(16, 16, 1, 1)] * 2
    with torch.no_grad():
        y = module(x)
        expected = module.pointwise(module.spatial(x))
        for block in module.further_pointwise:
            expected = block(expected)
        assert torch.equal(y, expected + torch.cat([x, x], 1))
    graph = GraphBuilder()
    output = module.emit(graph, "unit", "x")
    run = run_graph({"graph": {"operations": graph.operations}}, graph.tensors, {"x": x})
    assert torch.allclose(run.values[output], y, atol=1e-5)


@pytest.mark.parametrize("version", ["V0", "V1", "V3"])
@pytest.mark.parametrize("stride", [1, 2])
def test_inner_shortcuts_go_round_each_convolution_in_training_and_export(version, stride):
    module, x = unit(version, 8, 16, stride, inner_shortcuts=True, pointwise_layers=2), random_input()
    doubled = lambda z: torch.cat([z, z], 1)  # noqa: E731
    with torch.no_grad():
        y, pooled = module(x), x if stride == 1 else torch.nn.functional.avg_pool2d(x, 2)
        if version == "V0":
            assert torch.allclose(y, module.spatial(x) + 2 * doubled(pooled), atol=1e-6)
        else:
            first = module.spatial(x) + pooled
            second = module.pointwise(first) + doubled(first)
            body = module.further_pointwise[0](second) + second
            if version == "V3":
                body = body * torch.sigmoid(module.refinement(body.mean((2, 3), keepdim=True)))
            assert torch.allclose(y, body + doubled(pooled), atol=1e-6)
    graph = GraphBuilder()
    output = module.emit(graph, "unit", "x")
    run = run_graph({"graph": {"operations": graph.operations}}, graph.tensors, {"x": x})
    assert torch.allclose(run.values[output], y, atol=1e-5)


def test_binary_inputs_are_signs_that_real_weights_multiply():
    module, x = unit("V3", precision="binary_inputs"), random_input()
    spatial = module.spatial
    with torch.no_grad():
        sums = torch.nn.functional.conv2d(spatial.sign(x), spatial.conv.weight, padding=1)
        assert torch.equal(spatial(x), spatial.activation(spatial.norm(sums)))
    assert module.state_dict().keys() == unit("V3").state_dict().keys()
    with pytest.raises(ValueError, match=r"u\.spatial: a network with unit\.precision binary_inputs can't be exported"):
        module.emit(GraphBuilder(), "u", "x")


@pytest.mark.parametrize(
    ("gradient", "expected"),
    [("clamp", [0, 1, 1, 0]), ("quadratic", [0, 1, 1.6, 0]), ("tanh", [0.0098, 0.7864, 0.961, 0.0707])],
)
def test_the_gradient_of_the_sign_is_the_configured_one(gradient, expected):
    sign = unit("V0", 1, 1, gradient=gradient).spatial.sign
    x = torch.tensor([-3.0, -0.5, 0.2, 2.0]).view(1, 1, 1, 4).requires_grad_()
    sign(x).sum().backward()
    assert torch.allclose(x.grad.flatten(), torch.tensor(expected, dtype=torch.float32), atol=1e-4)
