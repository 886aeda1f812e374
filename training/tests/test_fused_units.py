import pytest
import torch

from bdc_training.config_sections import UnitConfig
from bdc_training.fused import compiled_library
from bdc_training.units import BDCUnit

VARIANTS = [
    (UnitConfig(version="V0"), 24, 24, 1),
    (UnitConfig(version="V3"), 16, 32, 2),
    (UnitConfig(version="V3", pointwise_input="sign"), 33, 33, 1),
    (UnitConfig(version="V3", precision="full"), 32, 32, 1),
    (UnitConfig(version="V3", inner_shortcuts=True), 16, 32, 2),
    (UnitConfig(version="V1", precision="binary_inputs", gradient="clamp"), 24, 24, 1),
]


def run(unit, x, upstream, use_library, monkeypatch):
    """Output, gradients and batch norm statistics of one training step, by name."""
    with monkeypatch.context() as patch:
        if not use_library:
            patch.setattr(compiled_library, "library", lambda: None)
        unit.zero_grad(set_to_none=True)
        for module in unit.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.reset_running_stats()
        x = x.detach().requires_grad_()
        y = unit(x)
        y.backward(upstream)
    found = {"y": y.detach(), "x": x.grad}
    found |= {name: parameter.grad for name, parameter in unit.named_parameters()}
    return found | {name: buffer.clone() for name, buffer in unit.named_buffers()}


@pytest.mark.parametrize(("config", "channels_in", "channels_out", "stride"), VARIANTS)
def test_a_unit_trains_alike_with_and_without_fused_operations(config, channels_in, channels_out, stride, monkeypatch):
    assert compiled_library.library() is not None
    torch.manual_seed(0)
    unit = BDCUnit(channels_in, channels_out, config, stride).to(memory_format=torch.channels_last).train()
    for parameter in unit.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    # An odd number of rows that isn't a multiple of the kernels' blocks; values off centre, as behind a residual.
    x = (torch.randn(3, channels_in, 18, 14) + 0.5).contiguous(memory_format=torch.channels_last)
    upstream = torch.randn(3, channels_out, 18 // stride, 14 // stride)
    plain, fused = (run(unit, x, upstream, use, monkeypatch) for use in (False, True))
    for name, expected in plain.items():
        # A bias before a batch norm has a gradient of 0, found as rounding of a sum over the image.
        assert torch.allclose(fused[name], expected, rtol=2e-4, atol=2e-5 * upstream.numel() ** 0.5), name


def test_channels_first_images_take_the_plain_path():
    assert not compiled_library.usable(torch.zeros(2, 3, 4, 5))
    assert not compiled_library.usable(
        torch.zeros(2, 3, 4, 5, dtype=torch.float64).to(memory_format=torch.channels_last)
    )


def test_without_a_compiler_training_runs_on_with_a_word(monkeypatch, capsys):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(compiled_library.shutil, "which", lambda _: None)
    assert compiled_library.library.__wrapped__() is None
    assert "no C++ compiler" in capsys.readouterr().err


def test_a_compiler_that_fails_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("CXX", "false")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compiled_library.library.__wrapped__() is None
    assert "false failed" in capsys.readouterr().err
