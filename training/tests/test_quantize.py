"""int8 activations of 1×1 layers: scales that lose little, and a model file that says so."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_config import write_tiny_config
from tiny_dataset import write_tiny_dataset

from bdc_training.config import load_config
from bdc_training.export import export_network
from bdc_training.exported_model import ExportedModel
from bdc_training.model_file import load_model
from bdc_training.network import build_network
from bdc_training.quantize import best_scale, int8_weights, main, outer_layers
from bdc_training.run_graph import quantised


def test_rounds_to_even_saturates_and_calls_nan_the_lowest() -> None:
    x = torch.tensor([0.25, 0.75, -0.25, 100.0, -100.0, float("nan")])
    assert quantised(x, 0.5).tolist() == [0, 2, -0, 127, -127, -127]


def test_values_on_the_steps_are_kept_exactly() -> None:
    values = torch.arange(-127, 128) * 0.25
    assert best_scale(values) == 0.25


def test_a_lone_outlier_is_clipped_when_that_loses_less() -> None:
    values = torch.from_numpy(np.random.default_rng(0).standard_normal(1 << 16)).float()
    clipped = torch.cat([values, torch.tensor([12.0])])
    assert best_scale(clipped) < 12 / 127
    errors = [(quantised(clipped, s) * s - clipped).square().mean() for s in (best_scale(clipped), 12 / 127)]
    assert errors[0] < errors[1]


def test_zeros_have_no_scale() -> None:
    with pytest.raises(ValueError, match="all activations are zero"):
        best_scale(torch.zeros(3))


def test_the_largest_weight_of_each_channel_is_127() -> None:
    weight = np.array([[0.5, -1.0], [0.04, 0.01], [0, 0]], dtype=np.float32)[:, :, None, None]
    whole, scale = int8_weights(weight)
    assert whole[:, :, 0, 0].tolist() == [[64, -127], [127, 32], [0, 0]]
    assert np.abs(whole * scale[:, None, None, None] - weight).max() <= scale.max() / 2


def test_layers_at_the_images_and_at_the_outputs_are_the_outer_ones() -> None:
    chain = [("conv2d", "stem"), ("relu", "bent"), ("conv2d", "middle"), ("relu", "again"), ("conv2d", "logits")]
    inputs = ["images", *(name for _, name in chain)]
    operations = [
        {"op": op, "name": name, "inputs": [x], "outputs": [name]} for (op, name), x in zip(chain, inputs, strict=False)
    ]
    operations.append({"op": "softmax", "name": "last", "inputs": ["logits"], "outputs": ["last"]})
    graph = {"inputs": [{"name": "images"}], "operations": operations}
    assert outer_layers({"graph": graph}) == {"stem", "logits"}


def test_real_layers_become_int8(tmp_path: Path) -> None:
    write_tiny_dataset(tmp_path / "data", samples=2)
    write_tiny_config(tmp_path / "tiny.yaml")
    config = load_config(tmp_path / "tiny.yaml")
    torch.manual_seed(0)
    original, path = tmp_path / "model.safetensors", tmp_path / "int8.safetensors"
    export_network(build_network(config).eval(), config, original)
    arguments = ["--model", str(original), "--data", str(tmp_path / "data"), "--out", str(path), "--threads", "1"]
    assert main([*arguments, "--layers", "real", "--first-and-last"]) == 0
    manifest, tensors = load_model(path)
    real = [operation for operation in manifest["graph"]["operations"] if operation["op"] == "conv2d"]
    assert real and all("activation_scale" in operation["attributes"] for operation in real)
    assert all(tensors[operation["tensors"]["weight"]].dtype == np.int8 for operation in real)
    assert path.stat().st_size < original.stat().st_size
    models = [ExportedModel(file) for file in (original, path)]
    batch = models[0].batch_maker(tmp_path / "data", None).plain([0, 1])
    first, second = (np.stack([sample.labels for sample in model.predict(batch)]) for model in models)
    assert (first == second).mean() > 0.8

    assert main([*arguments, "--layers", "real"]) == 0
    outer = outer_layers(manifest)
    for operation in load_model(path)[0]["graph"]["operations"]:
        if operation["op"] == "conv2d":
            assert ("activation_scale" in operation["attributes"]) == (operation["name"] not in outer)


def test_a_quantised_model_is_close_to_the_original(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tiny_dataset(tmp_path / "data", samples=2)
    write_tiny_config(tmp_path / "tiny.yaml")
    config = load_config(tmp_path / "tiny.yaml")
    torch.manual_seed(0)
    original, path = tmp_path / "model.safetensors", tmp_path / "int8.safetensors"
    export_network(build_network(config).eval(), config, original, metrics={"miou": 1.0})
    arguments = ["--model", str(original), "--data", str(tmp_path / "data"), "--out", str(path), "--threads", "1"]
    assert main([*arguments, "--name", "tiny-int8", "--metrics", '{"miou": 0.5}']) == 0
    assert "layers on int8 activations, calibrated on 2 samples" in capsys.readouterr().out

    manifest, tensors = load_model(path)
    assert (manifest["name"], manifest["metrics"]) == ("tiny-int8", {"miou": 0.5})
    scaled = [o["name"] for o in manifest["graph"]["operations"] if "activation_scale" in o.get("attributes", {})]
    assert scaled and all(name.endswith("pointwise.conv") for name in scaled)
    assert json.dumps(load_model(original)[0]["graph"]["outputs"]) == json.dumps(manifest["graph"]["outputs"])
    assert all(np.array_equal(value, tensors[name]) for name, value in load_model(original)[1].items())
    models = [ExportedModel(file) for file in (original, path)]
    batch = models[0].batch_maker(tmp_path / "data", None).plain([0, 1])
    first, second = (np.stack([sample.labels for sample in model.predict(batch)]) for model in models)
    assert (first == second).mean() > 0.8

    assert main([*arguments[:1], str(path), *arguments[2:]]) == 2
    assert "has an activation_scale already" in capsys.readouterr().err
