"""Whole small networks with random weights as golden fixtures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn

from .binary import SignActivation
from .calibration import unknown_parameters
from .config import Config, load_config
from .config_sections import DetectionConfig, TemporalConfig, UnitConfig
from .export import export_network
from .golden_sequences import Motion, moved
from .model_file import load_model
from .network import build_network
from .previous import Previous
from .run_graph import History, Rig, normalised, run_graph

EDGE = Path(__file__).resolve().parents[1] / "configs" / "edge.yaml"
# What a network is called with.
NetworkInputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Previous | None]
# No value may come closer to a sign's threshold than this (relative): rounding must not be able to flip a bit.
MARGIN = 2e-6


def small_config(cameras: int, unit: UnitConfig) -> Config:
    """The edge network's shape at a size that can be committed: images 64×32, grid 8×12×2."""
    edge = load_config(EDGE)
    return replace(
        edge,
        name=f"golden-{cameras}-camera-{unit.version}-{unit.pointwise_input}",
        input=replace(
            edge.input, width=64, height=32, camera_names=edge.input.camera_names[:cameras], trained_views=()
        ),
        grid=replace(edge.grid, min=(-8.0, -12.0, -1.0), max=(8.0, 12.0, 5.4), shape=(8, 12, 2)),
        unit=unit,
        detection=DetectionConfig(),
        image_encoder=replace(edge.image_encoder, stem=5, channels=(6, 12, 24), depth=1, stride=16),
        view_transformer=replace(edge.view_transformer, depth_bins=9, context_channels=8),
        bev_encoder=replace(edge.bev_encoder, channels=(16, 32), out_channels=16),
    )


def temporal_config() -> Config:
    """A small network with a memory."""
    config = small_config(2, UnitConfig(pointwise_input="sign"))
    temporal = TemporalConfig(previous_bev=True, pre_process="units")
    return replace(config, temporal=temporal, bev_encoder=replace(config.bev_encoder, channels=(32, 64)))


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
    tensors = {
        f"input.{name}" if name not in ("rays", "origins", "parameters") else name: value
        for name, value in inputs.items()
    }
    tensors |= {f"output.{role}": value.detach().numpy() for role, value in outputs.items()}
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, folder / "io.safetensors")


def outputs_of(manifest: Mapping[str, Any], values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {role: values[name] for role, name in manifest["graph"]["outputs"].items()}


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


def write_network_sequence(root: Path, name: str, config: Config, motions: Sequence[Motion]) -> None:
    """A whole small network with a memory, frame after frame; the outputs are the module's own."""
    (root / name).mkdir(parents=True, exist_ok=True)
    cameras, image, stride = len(config.input.camera_names), config.input, config.image_encoder.stride
    for seed in range(1000):
        random = np.random.default_rng(seed)
        network = build_network(config)
        randomise(network, random)
        network.eval()
        export_network(network, config, root / name / "model.safetensors")
        rig = Rig(normal(random, cameras, image.height // stride, image.width // stride, 3), normal(random, cameras, 3))
        tensors = {"rays": rig.rays.numpy(), "origins": rig.origins.numpy()}
        margin, before, kept = float("inf"), None, {}
        manifest, weights = load_model(root / name / "model.safetensors")
        for i, motion in enumerate(motions):
            images = random.integers(0, 256, (cameras, image.height, image.width, 3), dtype=np.uint8)
            inputs = _network_inputs(normalised(images, manifest), rig, before, motion)
            with torch.no_grad():
                outputs = network(*inputs)
            history = None if motion is None else History(kept, torch.from_numpy(motion).double())
            run = run_graph(manifest, weights, {"images": inputs[0][0]}, rig, history)
            margin, kept, before = min(margin, run.sign_margin), run.kept, inputs
            tensors |= {f"frame{i}.input.images": images}
            tensors |= {} if motion is None else {f"frame{i}.motion": motion}
            # The graph has labels beside the module's logits.
            found = {role: outputs.get(role, value) for role, value in outputs_of(manifest, run.values).items()}
            tensors |= {f"frame{i}.output.{role}": value.numpy() for role, value in found.items()}
        if margin > MARGIN:
            break
    else:
        raise RuntimeError(f"{name}: no seed keeps every value {MARGIN} away from its threshold")
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, root / name / "io.safetensors")


def _network_inputs(images: Tensor, rig: Rig, before: NetworkInputs | None, motion: Motion) -> NetworkInputs:
    """Of one frame of all cameras [N, 3, H, W], behind the frame before."""
    parameters = torch.from_numpy(unknown_parameters(len(images)))
    mask = torch.ones(1, len(images), dtype=torch.bool)
    previous = None
    if motion is not None and before is not None:
        since = torch.eye(4, dtype=torch.float64)
        since[:3] = torch.from_numpy(motion)
        previous = Previous(*before[:5], since[None], torch.tensor([True]))
    return images[None], rig.rays[None], rig.origins[None], mask, parameters[None], previous


def write_networks(root: Path) -> None:
    write_network(root, "network-one-camera", small_config(1, UnitConfig(pointwise_input="sign")))
    write_network(root, "network-six-cameras", small_config(6, UnitConfig(pointwise_input="real")))
    write_network(root, "network-camera-missing", small_config(6, UnitConfig(version="V0")), missing=(1, 4))
    motions = (None, moved(0.1, 0.9, 0.2), moved(-0.2, 1.7, 0), None, moved(0, 0.4, -0.1))
    write_network_sequence(root, "network-temporal", temporal_config(), motions)
