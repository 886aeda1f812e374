"""Writes the golden fixtures: small models with random weights, inputs and the outputs that PyTorch computes.

python -m bdc_training.golden test/fixtures/golden
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor

from .config_sections import UnitConfig
from .golden_graphs import GOLDEN_GRAPHS, GoldenGraph
from .golden_networks import MARGIN, normal, outputs_of, randomise, small_config, write_fixture, write_networks
from .golden_sequences import GOLDEN_SEQUENCES, GoldenSequence
from .golden_units import GOLDEN_UNITS, GoldenUnit
from .graph_builder import GraphBuilder
from .model_file import graph_manifest, network_manifest, save_model
from .run_graph import History, Rig, run_graph


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
    values = dict(zip(("rays", "origins"), golden.rig, strict=True))
    if golden.parameters is not None:
        values["parameters"] = golden.parameters
    return manifest, Rig(**{key: torch.from_numpy(value) for key, value in values.items()}), values


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
        history = None if motion is None else History(kept, torch.from_numpy(motion).double(), rig)
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
    write_networks(root)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
