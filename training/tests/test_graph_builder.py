import numpy as np
import pytest
import torch
from torch import nn

from bdc_training.graph_builder import GraphBuilder, batch_norm_scale_bias, pack_signs


@pytest.mark.parametrize("channels", [1, 24, 63, 64, 65, 130])
def test_packed_bit_of_a_channel_is_its_sign_and_padding_is_zero(channels):
    weight = torch.randn(3, channels, 2, 1, generator=torch.Generator().manual_seed(0))
    weight[0, 0] = 0.0
    words = pack_signs(weight)
    assert words.shape == (3, 2, 1, -(-channels // 64)) and words.dtype == np.uint64
    for channel in range(words.shape[-1] * 64):
        bits = (words[..., channel // 64] >> np.uint64(channel % 64)) & np.uint64(1)
        expected = (weight[:, channel].numpy() >= 0) if channel < channels else np.zeros((3, 2, 1), bool)
        assert np.array_equal(bits.astype(bool), expected), channel


def test_a_folded_batch_norm_is_the_one_of_evaluation():
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(5).eval()
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean):
        tensor.normal_()
    norm.running_var.uniform_(0.1, 2)
    x = torch.randn(2, 5, 3, 3)
    scale, bias = (value.view(1, -1, 1, 1) for value in batch_norm_scale_bias(norm))
    assert torch.allclose(scale * x + bias, norm(x), atol=1e-5)


def test_operations_are_kept_in_order_with_tensors_under_readable_names():
    graph = GraphBuilder()
    graph.module = "heads"
    y = graph.add("prelu", "head.0", ["x"], tensors={"slope": torch.ones(2)})
    parts = graph.split("head.parts", y, [1, 1])
    assert parts == ["head.parts.0", "head.parts.1"]
    assert graph.operations == [
        {
            "name": "head.0",
            "op": "prelu",
            "module": "heads",
            "inputs": ["x"],
            "outputs": ["head.0"],
            "tensors": {"slope": "head.0.slope"},
        },
        {
            "name": "head.parts",
            "op": "split",
            "module": "heads",
            "inputs": ["head.0"],
            "outputs": ["head.parts.0", "head.parts.1"],
            "attributes": {"sizes": [1, 1]},
        },
    ]
    assert graph.tensors["head.0.slope"].dtype == np.float32


def test_tensors_that_are_not_finite_are_refused_but_for_thresholds():
    graph = GraphBuilder()
    graph.add("sign", "sign", ["x"], tensors={"threshold": torch.tensor([float("inf")])})
    with pytest.raises(ValueError, match=r"norm\.scale: found inf or NaN"):
        graph.add("batch_norm", "norm", ["x"], tensors={"scale": torch.tensor([float("nan")])})
