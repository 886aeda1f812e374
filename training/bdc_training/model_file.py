"""Reading and writing of model files (docs/model-format.md)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .config import Config
from .config_sections import InputConfig, TrainedViewConfig
from .file_replacement import replace_file
from .graph_builder import GraphBuilder
from .heads import detection_manifest, occupancy_manifest
from .images import ResizeCrop

SCHEMA = Path(__file__).resolve().parents[2] / "models" / "manifest.schema.json"


def network_manifest(config: Config, *, license: str, training_data: str, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """All but the graph."""
    manifest = {
        "format": "bdc_occ",
        "format_version": 1,
        "name": config.name,
        "license": license,
        "training_data": training_data,
        "metrics": dict(metrics),
        "input": {
            "width": config.input.width,
            "height": config.input.height,
            "cameras": len(config.input.camera_names),
            "camera_names": list(config.input.camera_names),
            "mean": list(config.input.mean),
            "std": list(config.input.std),
        },
        "grid": {"min": list(config.grid.min), "max": list(config.grid.max), "shape": list(config.grid.shape)},
    }
    if config.input.trained_views:
        manifest["input"]["trained_views"] = [_trained_view(view, config.input) for view in config.input.trained_views]
    if config.heads.occupancy != "none":
        manifest["occupancy"] = occupancy_manifest()
    if config.heads.detection != "none":
        manifest["detection"] = detection_manifest(config)
    return manifest


def _trained_view(view: TrainedViewConfig, image: InputConfig) -> dict[str, Any]:
    """In pixels of the network's images."""
    (width, height), size = view.image, (image.width, image.height)
    to_input = ResizeCrop.of((width, height), size).matrix
    # The scales of both axes differ by what their sizes were rounded.
    focal_length = view.focal_length * float(np.sqrt(to_input[0, 0] * to_input[1, 1]))
    center = (to_input @ [*view.center, 1])[:2]
    return {"focal_length": focal_length, "center": center.tolist(), "height": view.height}


def graph_manifest(
    graph: GraphBuilder, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, str]
) -> dict[str, Any]:
    """The manifest's `graph` section."""
    return {
        "inputs": [{"name": name, "shape": list(shape)} for name, shape in inputs.items()],
        "operations": graph.operations,
        "outputs": dict(outputs),
    }


def save_model(path: Path, manifest: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> None:
    """@raises jsonschema.ValidationError if the manifest isn't what the schema says, OSError if it can't be written:
    an earlier file is intact then.
    """
    jsonschema.validate(manifest, json.loads(SCHEMA.read_text()))
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, save(dict(tensors), metadata={"manifest": json.dumps(manifest, separators=(",", ":"))}))


def load_model(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(manifest, tensors by name). @raises OSError, or ValueError for what isn't a whole model file."""
    try:
        with safe_open(path, framework="numpy") as file:
            manifest = json.loads((file.metadata() or {})["manifest"])
            return manifest, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path}: expected a model file of bdc_training.export; this is none or cut off ({error})"
        ) from error
