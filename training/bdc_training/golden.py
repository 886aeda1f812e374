"""Writes the golden fixtures: small models with random weights, inputs and the outputs that PyTorch computes.

python -m bdc_training.golden test/fixtures/golden
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn

from .binary import SignActivation
from .config import Config, load_config
from .config_sections import DetectionConfig, UnitConfig
from .export import export_network
from .golden_graphs import GOLDEN_GRAPHS, GoldenGraph
from .golden_sequences import GOLDEN_SEQUENCES, GoldenSequence
from .golden_units import GOLDEN_UNITS, GoldenUnit
from .graph_builder import GraphBuilder
from .model_file import graph_manifest, load_model, network_manifest, save_model
from .network import build_network
from .run_graph import History, Rig, normalised, run_graph

EDGE = Path(__file__).resolve().parents[1] / "configs" / "edge.yaml"
# No value may come closer to a sign's threshold than this (relative): rounding must not be able to flip a bit.
MARGIN = 2e-6


def small_config(cameras: int, unit: UnitConfig) -> Config:
    """The edge network's shape at a size that can be committed: images 64×32, grid 8×12×2."""
    edge = load_config(EDGE)
    return replace(
        edge,
        name=f"golden-{cameras}-camera-{unit.version}-{unit.pointwise_input}",
        input=replace(edge.input, width=64, height=32, camera_names=edge.input.camera_names[:cameras]),
        grid=replace(edge.grid, min=(-8.0, -12.0, -1.0), max=(8.0, 12.0, 5.4), shape=(8, 12, 2)),
        unit=unit,
        detection=DetectionConfig(),
        image_encoder=replace(edge.image_encoder, stem=5, channels=(6, 12, 24), depth=1, stride=16),
        view_transformer=replace(edge.view_transformer, depth_bins=9, context_channels=8),
        bev_encoder=replace(edge.bev_encoder, channels=(16, 32), out_channels=16),
    )


def normal(random: np.random.Generator, *shape: int) -> Tensor:
    """NumPy's numbers: the same with every release of PyTorch."""
    return torch.from_numpy(random.standard_normal(shape).astype(np.float32))


def randomise(module: nn.Module, random: np.random.Generator) -> None:
    """Trained-looking values instead of ones and zeros: norms, slopes, thresholds (negative and zero k too)."""

    def fill(tensor: Tensor, mean: float, deviation: float) -> None:
        tensor.data.copy_(normal(random, *tensor.shape) * deviation + mean)

    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            fill(layer.weight, 1.0, 0.3)
            fill(layer.bias, 0.0, 0.3)
            fill(layer.running_mean, 0.0, 0.5)
            layer.running_var.copy_(normal(random, *layer.running_var.shape).abs() + 0.5)
        elif isinstance(layer, SignActivation):
            if layer.scale is not None:
                fill(layer.scale, 0.5, 0.8)
                layer.scale.data[0] = 0
            fill(layer.bias, 0.0, 0.3)
        elif isinstance(layer, nn.Conv2d) and layer.bias is not None:
            fill(layer.bias, 0.0, 0.3)
    for name, parameter in module.named_parameters():
        if name.endswith(("bias_in", "bias_out", "slope")):
            fill(parameter, 0.1, 0.2)
        elif name.endswith("weight") and parameter.dim() == 4:
            fill(parameter, 0.0, (parameter[0].numel()) ** -0.5)


def write_fixture(folder: Path, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, Tensor]) -> None:
    tensors = {f"input.{name}" if name not in ("rays", "origins") else name: value for name, value in inputs.items()}
    tensors |= {f"output.{role}": value.detach().numpy() for role, value in outputs.items()}
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, folder / "io.safetensors")


def outputs_of(manifest: Mapping[str, Any], values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {role: values[name] for role, name in manifest["graph"]["outputs"].items()}


def save_graph(root: Path, name: str, golden: GoldenGraph) -> tuple[dict[str, Any], Rig | None, dict[str, np.ndarray]]:
    """Writes a graph of a few operations; returns its manifest, rig, and the rig as a fixture has it."""
    cameras = 1 if golden.rig is None else len(golden.rig[1])
    config = small_config(cameras, UnitConfig())
    manifest = network_manifest(config, license="Apache-2.0", training_data="none", metrics={})
    manifest["name"] = f"golden-{name}"
    manifest["grid"] = golden.grid or manifest["grid"]
    batch = None if golden.rig is None else "cameras"
    shapes = {key: (batch or value.shape[0], *value.shape[1:]) for key, value in golden.inputs.items()}
    manifest["graph"] = graph_manifest(golden.graph, shapes, golden.outputs)
    save_model(root / name / "model.safetensors", manifest, golden.graph.tensors)
    if golden.rig is None:
        return manifest, None, {}
    rig = Rig(*(torch.from_numpy(value) for value in golden.rig))
    return manifest, rig, dict(zip(("rays", "origins"), golden.rig, strict=True))


def write_graph(root: Path, name: str, golden: GoldenGraph) -> None:
    """A graph of a few operations, fed with float tensors by name."""
    manifest, rig, geometry = save_graph(root, name, golden)
    inputs = {key: torch.from_numpy(value) for key, value in golden.inputs.items()}
    run = run_graph(manifest, golden.graph.tensors, inputs, rig)
    write_fixture(root / name, {**golden.inputs, **geometry}, outputs_of(manifest, run.values))


def write_sequence(root: Path, name: str, golden: GoldenSequence) -> None:
    """Frames one after the other, each with what the one before left."""
    manifest, rig, tensors = save_graph(root, name, golden.graph)
    kept: dict[str, Tensor] = {}
    for i, (frame, motion) in enumerate(zip(golden.frames, golden.motions, strict=True)):
        history = None if motion is None else History(kept, torch.from_numpy(motion))
        inputs = {key: torch.from_numpy(value) for key, value in frame.items()}
        run = run_graph(manifest, golden.graph.graph.tensors, inputs, rig, history)
        kept = run.kept
        tensors |= {f"frame{i}.input.{key}": value for key, value in frame.items()}
        tensors |= {} if motion is None else {f"frame{i}.motion": motion}
        tensors |= {
            f"frame{i}.output.{role}": value.numpy() for role, value in outputs_of(manifest, run.values).items()
        }
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, root / name / "io.safetensors")


def write_unit(root: Path, name: str, golden: GoldenUnit) -> None:
    """One module of the network; the outputs are the module's own, not the exported graph's."""
    for seed in range(1000):
        random = np.random.default_rng(seed)
        module = golden.module()
        randomise(module, random)
        module.eval()
        x = normal(random, *golden.shape)
        graph = GraphBuilder()
        outputs = {"output": module.emit(graph, name, "x")}  # type: ignore[operator]
        if run_graph({"graph": {"operations": graph.operations}}, graph.tensors, {"x": x}).sign_margin > MARGIN:
            break
    else:
        raise RuntimeError(f"{name}: no seed keeps every value {MARGIN} away from its threshold")
    manifest = network_manifest(small_config(1, UnitConfig()), license="Apache-2.0", training_data="none", metrics={})
    manifest["name"] = f"golden-{name}"
    manifest["graph"] = graph_manifest(graph, {"x": golden.shape}, outputs)
    save_model(root / name / "model.safetensors", manifest, graph.tensors)
    with torch.no_grad():
        write_fixture(root / name, {"x": x.numpy()}, {"output": module(x)})


def write_network(root: Path, name: str, config: Config, missing: tuple[int, ...] = ()) -> None:
    """A whole small network; `missing` cameras deliver no image."""
    cameras = len(config.input.camera_names)
    live = [i for i in range(cameras) if i not in missing]
    (root / name).mkdir(parents=True, exist_ok=True)
    for seed in range(1000):
        random = np.random.default_rng(seed)
        network = build_network(config)
        randomise(network, random)
        network.eval()
        shape = (cameras, config.input.height, config.input.width, 3)
        images = random.integers(0, 256, shape, dtype=np.uint8)
        stride = config.image_encoder.stride
        rays = normal(random, cameras, config.input.height // stride, config.input.width // stride, 3)
        rays[:, 0, 0] = float("nan")
        origins = normal(random, cameras, 3)
        export_network(network, config, root / name / "model.safetensors")
        manifest, tensors = load_model(root / name / "model.safetensors")
        run = run_graph(
            manifest, tensors, {"images": normalised(images[live], manifest)}, Rig(rays[live], origins[live])
        )
        if run.sign_margin > MARGIN:
            break
    else:
        raise RuntimeError(f"{name}: no seed keeps every value {MARGIN} away from its threshold")
    mask = np.isin(np.arange(cameras), live).astype(np.uint8)
    inputs = {"images": images, "camera_mask": mask, "rays": rays.numpy(), "origins": origins.numpy()}
    write_fixture(root / name, inputs, outputs_of(manifest, run.values))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m bdc_training.golden FOLDER", file=sys.stderr)
        return 2
    root = Path(arguments[0])
    # The order of sums depends on the number of threads.
    torch.set_num_threads(1)
    for name, make in GOLDEN_GRAPHS.items():
        write_graph(root, f"op-{name}", make(np.random.default_rng(0)))
    for name, make_sequence in GOLDEN_SEQUENCES.items():
        write_sequence(root, f"sequence-{name}", make_sequence(np.random.default_rng(0)))
    for name, unit in GOLDEN_UNITS.items():
        write_unit(root, f"unit-{name}", unit)
    write_network(root, "network-one-camera", small_config(1, UnitConfig(pointwise_input="sign")))
    write_network(root, "network-six-cameras", small_config(6, UnitConfig(pointwise_input="real")))
    write_network(root, "network-camera-missing", small_config(6, UnitConfig(version="V0")), missing=(1, 4))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
