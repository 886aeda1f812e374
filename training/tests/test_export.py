import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
import torch
from tiny_checkpoint import save_network

from bdc_training.binary import BinaryConv2d, BinaryConvBlock
from bdc_training.config import load_config
from bdc_training.config_sections import TrainedViewConfig, UnitConfig
from bdc_training.export import export_network, main
from bdc_training.golden_networks import EDGE, MARGIN, normal, outputs_of, randomise, small_config
from bdc_training.graph_builder import GraphBuilder
from bdc_training.model_file import graph_manifest, load_model, network_manifest, save_model
from bdc_training.network import build_network
from bdc_training.run_graph import Rig, normalised, run_graph


@pytest.mark.parametrize("channels", [1, 24, 63, 65, 130])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (1, 1)])
def test_sums_of_an_exported_binary_convolution_are_exactly_the_modules(channels, kernel, stride):
    torch.manual_seed(0)
    block = BinaryConvBlock(channels, 7, kernel, stride=stride, batch_norm=False, activation=False)
    randomise(block, np.random.default_rng(1))
    # Every scale 1: what comes out are the integers themselves.
    block.conv.weight.data = torch.where(block.conv.weight >= 0, 1.0, -1.0)
    x = torch.randn(2, channels, 5, 6)
    graph = GraphBuilder()
    output = block.emit(graph, "block", "x")
    run = run_graph({"graph": {"operations": graph.operations}}, graph.tensors, {"x": x})
    expected = block(x).detach()
    assert torch.equal(expected, expected.round()) and expected.abs().sum() > 0
    assert torch.equal(run.values[output], expected)


def relative_error(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize(
    "unit",
    [
        UnitConfig(version="V0", residual_batch_norm=True),
        UnitConfig(version="V1", pointwise_input="sign"),
        UnitConfig(version="V2", reduction=2),
        UnitConfig(version="V3"),
        UnitConfig(version="V3", pointwise_input="sign"),
    ],
    ids=lambda unit: f"{unit.version}-{unit.pointwise_input}",
)
def test_an_exported_network_computes_what_the_modules_compute(tmp_path, unit):
    config = small_config(3, unit)
    if unit.version == "V1":
        config = replace(config, bev_encoder=replace(config.bev_encoder, blocks="residual"))
    for seed in range(200):
        random = np.random.default_rng(seed)
        network = build_network(config)
        randomise(network, random)
        network.eval()
        images = random.integers(0, 256, (3, 32, 64, 3), dtype=np.uint8)
        rays, origins = normal(random, 3, 2, 4, 3), normal(random, 3, 3)
        export_network(network, config, tmp_path / "model.safetensors")
        manifest, tensors = load_model(tmp_path / "model.safetensors")
        x = normalised(images, manifest)
        run = run_graph(manifest, tensors, {"images": x}, Rig(rays, origins))
        # Folding rounds differently: with a value this close to a threshold a bit may differ, and rightly so.
        if run.sign_margin > MARGIN:
            break
    else:
        pytest.fail("no seed keeps every value away from its threshold")
    with torch.no_grad():
        expected = network(x[None], rays[None], origins[None])
    found = outputs_of(manifest, run.values)
    for role in ("occupancy_logits", "heatmap", "reg", "height", "dim", "rot", "vel"):
        assert relative_error(found[role], expected[role]) <= 1e-5, role
    logits = expected["occupancy_logits"].unflatten(1, (2, -1)).permute(0, 4, 3, 1, 2)
    assert torch.equal(found["occupancy_labels"].long(), logits.argmax(-1))
    assert torch.allclose(found["occupancy_confidence"], logits.softmax(-1).amax(-1), atol=1e-5)


def test_the_manifest_says_what_the_network_is(tmp_path):
    config = small_config(2, UnitConfig())
    network = build_network(config)
    export_network(network, config, tmp_path / "m.safetensors", training_data="streets", metrics={"mean_iou": 0.2})
    manifest, tensors = load_model(tmp_path / "m.safetensors")
    assert manifest["training_data"] == "streets" and manifest["metrics"] == {"mean_iou": 0.2}
    assert manifest["input"]["camera_names"] == list(config.input.camera_names)
    assert manifest["graph"]["inputs"] == [{"name": "images", "shape": ["cameras", 3, 32, 64]}]
    assert len(manifest["occupancy"]["classes"]) == 18 and len(manifest["detection"]["classes"]) == 10
    modules = [operation["module"] for operation in manifest["graph"]["operations"]]
    assert list(dict.fromkeys(modules)) == ["image_encoder", "view_transformer", "bev_encoder", "heads"]
    named = {name for operation in manifest["graph"]["operations"] for name in operation.get("tensors", {}).values()}
    assert named == set(tensors)
    binary = sum(isinstance(module, BinaryConv2d) for module in network.modules())
    assert sum(operation["op"] == "binary_conv2d" for operation in manifest["graph"]["operations"]) == binary


def test_the_manifest_has_the_trained_views_in_pixels_of_the_input():
    config = small_config(1, UnitConfig())
    view = TrainedViewConfig(image=(128, 96), focal_length=100.0, center=(63.5, 60.5), height=1.2)
    config = replace(config, input=replace(config.input, trained_views=(view,)))
    # 128 × 96 to 64 × 32: scaled by a half to 64 × 48, then 16 rows cut at the top.
    (found,) = network_manifest(config, license="", training_data="", metrics={})["input"]["trained_views"]
    assert found.pop("center") == pytest.approx([31.5, 14.0])
    assert found == pytest.approx({"focal_length": 50.0, "height": 1.2})


def manifest_of_one_operation():
    graph = GraphBuilder()
    output = graph.add("relu", "relu", ["x"])
    manifest = network_manifest(small_config(1, UnitConfig()), license="Apache-2.0", training_data="none", metrics={})
    manifest["graph"] = graph_manifest(graph, {"x": (1, 2, 3, 4)}, {"output": output})
    return manifest


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m.pop("grid"),
        lambda m: m.update(format_version=2),
        lambda m: m.update(colour="red"),
        lambda m: m["input"].update(std=[1, 0, 1]),
        lambda m: m["occupancy"].update(free=255),
        lambda m: m["graph"]["operations"][0].update(module="tail"),
        lambda m: m["graph"].update(outputs={}),
    ],
)
def test_a_manifest_that_breaks_the_schema_is_not_written(tmp_path, spoil):
    manifest = manifest_of_one_operation()
    save_model(tmp_path / "good.safetensors", manifest, {})
    spoil(manifest)
    with pytest.raises(jsonschema.ValidationError):
        save_model(tmp_path / "bad.safetensors", manifest, {})
    assert not (tmp_path / "bad.safetensors").exists()


def test_the_command_writes_a_checkpoint_under_the_given_name(tmp_path, capsys):
    torch.manual_seed(3)
    config = load_config(EDGE)
    network = build_network(config)
    save_network(tmp_path / "checkpoint.pt", network)
    arguments = ["--config", str(EDGE), "--checkpoint", str(tmp_path / "checkpoint.pt")]
    arguments += ["--out", str(tmp_path / "edge.safetensors"), "--name", "mine", "--metrics", '{"mean_iou": 0.5}']
    assert main(arguments) == 0
    assert "edge.safetensors" in capsys.readouterr().out
    manifest, tensors = load_model(tmp_path / "edge.safetensors")
    assert manifest["name"] == "mine" and manifest["metrics"] == {"mean_iou": 0.5}
    logits = next(o for o in manifest["graph"]["operations"] if o["outputs"] == [manifest["graph"]["outputs"]["vel"]])
    expected = network.detection_head.maps["vel"].weight.detach().numpy()
    assert np.array_equal(tensors[logits["tensors"]["weight"]], expected)
    export_network(network, replace(config, name="mine"), tmp_path / "b.safetensors", metrics={"mean_iou": 0.5})
    assert (tmp_path / "b.safetensors").read_bytes() == (tmp_path / "edge.safetensors").read_bytes()


@pytest.mark.parametrize("fault", ["no config", "no checkpoint", "other network", "not finite"])
def test_the_command_answers_bad_input_with_one_line(tmp_path, capsys, fault):
    config, checkpoint = EDGE, tmp_path / "checkpoint.pt"
    if fault == "no config":
        config = tmp_path / "none.yaml"
    elif fault == "other network":
        save_network(checkpoint, build_network(small_config(1, UnitConfig())))
    elif fault == "not finite":
        network = build_network(load_config(EDGE))
        network.occupancy_head.logits.weight.data[0, 0] = float("nan")
        save_network(checkpoint, network)
    out = tmp_path / "model.safetensors"
    assert main(["--config", str(config), "--checkpoint", str(checkpoint), "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith("python -m bdc_training.export: ")
    assert not out.exists()


def test_metrics_survive_as_json(tmp_path):
    manifest = manifest_of_one_operation()
    manifest["metrics"] = {"per_class": {"car": 0.25}}
    save_model(tmp_path / "m.safetensors", manifest, {})
    assert json.dumps(load_model(tmp_path / "m.safetensors")[0]["metrics"]) == '{"per_class": {"car": 0.25}}'
