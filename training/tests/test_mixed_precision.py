"""Where products are made in bfloat16."""

import pytest
import torch

from bdc_training.mixed_precision import MixedPrecision, autocast

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("precision", "multiplies", "is_mixed"),
    [("float32", True, False), ("bfloat16", False, True), ("auto", True, True), ("auto", False, False)],
)
def test_auto_asks_the_device(
    precision: MixedPrecision, multiplies: bool, is_mixed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bdc_training.mixed_precision.multiplies_bfloat16", lambda _: multiplies)
    with autocast(precision, CPU):
        assert torch.is_autocast_cpu_enabled() == is_mixed
    assert not torch.is_autocast_cpu_enabled()
