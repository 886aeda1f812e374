"""Makes convolutions of a model file that see real activations int8 (docs/model-format.md).

`pointwise`: 1×1 convolutions of binary weights (W1A8). Layers that see a single pixel, as in refinement branches, stay
as they are: int8 would save nothing there. `real`: convolutions of real weights, whose weights become int8 too, with a
scale for each output channel; those that see the images and those whose output leaves the network stay as they are
unless named by `--first-and-last`.

Each layer's activation scale is the one with the least mean squared rounding and clipping error over its activations on
samples of a data set, as the model without scales computes them.
"""

import argparse
import json
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import torch
from torch import Tensor

from .arguments import positive_int
from .exported_model import ExportedModel
from .model_file import load_model, save_model
from .run_graph import quantised

# Activations of one layer that a sample contributes, evenly spaced.
VALUES_PER_SAMPLE = 1 << 14
# Clipping points that are tried, as shares of the largest activation.
CLIPS = np.arange(16, 65) / 64
LARGEST = 127
KINDS = ("pointwise", "real")


def best_scale(values: Tensor) -> float:
    """The activation scale with the least mean squared error on `values` (any shape, finite).

    @raises ValueError if all are zero.
    """
    largest = float(values.abs().max())
    if largest == 0:
        raise ValueError("all activations are zero: no scale fits better than another")
    scales = [float(np.float32(largest * clip / LARGEST)) for clip in CLIPS]
    errors = [float((quantised(values, scale) * scale - values).square().mean()) for scale in scales]
    return scales[int(np.argmin(errors))]


def pointwise_layer(
    operation: Mapping[str, Any], tensors: Mapping[str, np.ndarray], values: Mapping[str, Tensor]
) -> bool:
    """Whether an operation is a 1×1 convolution of binary weights on the real values of several pixels."""
    if operation["op"] != "binary_conv2d":
        return False
    x = values[operation["inputs"][0]]
    _, *kernel, _ = tensors[operation["tensors"]["weight"]].shape
    attributes = operation["attributes"]
    pointwise = kernel == [1, 1] and attributes["stride"] == [1, 1] and attributes["padding"] == [0, 0]
    return pointwise and x.shape[-2:].numel() > 1


def outer_layers(manifest: Mapping[str, Any]) -> set[str]:
    """Names of the convolutions that read a graph input, and of those whose output no other convolution reads, however
    many operations lie between."""
    operations = manifest["graph"]["operations"]
    first = {tensor["name"] for tensor in manifest["graph"]["inputs"]}
    convolved: set[str] = set()  # tensors that a convolution reads in the end
    outer: set[str] = set()
    for operation in reversed(operations):
        is_convolution = operation["op"] in ("conv2d", "binary_conv2d")
        if is_convolution and (operation["inputs"][0] in first or convolved.isdisjoint(operation["outputs"])):
            outer.add(operation["name"])
        if is_convolution or not convolved.isdisjoint(operation["outputs"]):
            convolved.update(operation["inputs"])
    return outer


def calibrated(
    manifest: Mapping[str, Any],
    tensors: Mapping[str, np.ndarray],
    runs: Iterable[Mapping[str, Tensor]],
    kinds: Collection[str] = ("pointwise",),
    first_and_last: bool = False,
) -> dict[str, float]:
    """Scales by operation name. `runs`: the values of all tensors of the graph, sample by sample.

    @raises ValueError for a model without such layers, or one whose layers have scales already.
    """
    operations = manifest["graph"]["operations"]
    signs = {output for operation in operations if operation["op"] == "sign" for output in operation["outputs"]}
    excluded = set() if first_and_last else outer_layers(manifest)
    collected: dict[str, list[Tensor]] = {}
    for values in runs:
        for operation in operations:
            if operation["op"] == "conv2d":
                is_chosen = "real" in kinds and operation["name"] not in excluded
            else:
                is_chosen = (
                    "pointwise" in kinds
                    and operation["inputs"][0] not in signs
                    and pointwise_layer(operation, tensors, values)
                )
            if not is_chosen:
                continue
            if "activation_scale" in operation["attributes"]:
                raise ValueError(f"{operation['name']} has an activation_scale already: quantise the original model")
            flat = values[operation["inputs"][0]].flatten()
            step = max(1, len(flat) // VALUES_PER_SAMPLE)
            collected.setdefault(operation["name"], []).append(flat[::step].clone())
    if not collected:
        raise ValueError(f"no convolution of these kinds sees real activations: {', '.join(sorted(kinds))}")
    return {name: best_scale(torch.cat(parts)) for name, parts in collected.items()}


def int8_weights(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights [O, I, kh, kw] as whole numbers in [−127, 127] and their scales [O]: the largest of a channel is 127."""
    largest = np.abs(weight).max(axis=(1, 2, 3))
    scale = np.where(largest > 0, largest / LARGEST, 1).astype(np.float32)
    return np.rint(weight / scale[:, None, None, None]).clip(-LARGEST, LARGEST).astype(np.int8), scale


def quantised_model(
    manifest: Mapping[str, Any], tensors: Mapping[str, np.ndarray], scales: Mapping[str, float]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The manifest with `activation_scale` on the named operations, and the tensors it then needs."""
    operations, changed = [], dict(tensors)
    for operation in manifest["graph"]["operations"]:
        if operation["name"] in scales:
            attributes = {**operation["attributes"], "activation_scale": scales[operation["name"]]}
            operation = {**operation, "attributes": attributes}
            if operation["op"] == "conv2d":
                weight, scale = operation["tensors"]["weight"], f"{operation['name']}.scale"
                changed[weight], changed[scale] = int8_weights(tensors[weight])
                operation["tensors"] = {**operation["tensors"], "scale": scale}
        operations.append(operation)
    return {**manifest, "graph": {**manifest["graph"], "operations": operations}}, changed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.quantize", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model file of bdc_training.export")
    parser.add_argument("--data", type=Path, required=True, help="data set it was trained on")
    parser.add_argument("--cache", type=Path, help="folder for prepared samples (default: cache/ in the data set)")
    parser.add_argument(
        "--samples", type=positive_int, default=8, help="calibrate on so many, evenly spaced (default: 8)"
    )
    parser.add_argument(
        "--layers", nargs="+", choices=KINDS, default=["pointwise"], help="which become int8 (default: pointwise)"
    )
    parser.add_argument(
        "--first-and-last",
        action="store_true",
        help="of the real ones, also those at the images and the outputs",
    )
    parser.add_argument("--threads", type=positive_int, help="of PyTorch (default: one per core)")
    parser.add_argument("--out", type=Path, required=True, help="model file to write")
    parser.add_argument("--name", help="name of the model (default: the original's)")
    parser.add_argument("--metrics", type=json.loads, default={}, help="JSON object: the original's no longer hold")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads or os.cpu_count() or 1)
    try:
        model = ExportedModel(options.model)
        maker = model.batch_maker(options.data, options.cache)
        count = len(maker.dataset)
        indices = np.unique(np.linspace(0, count - 1, min(options.samples, count)).astype(int)).tolist()
        manifest, tensors = load_model(options.model)
        runs = (run.values for index in indices for run in model.runs(maker.plain([index])))
        scales = calibrated(manifest, tensors, runs, options.layers, options.first_and_last)
        changed, tensors = quantised_model(manifest, tensors, scales)
        save_model(
            options.out, {**changed, "metrics": options.metrics, "name": options.name or manifest["name"]}, tensors
        )
    except (OSError, ValueError, jsonschema.ValidationError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    for name, scale in scales.items():
        print(f"{name:<50} {scale:.3e}")
    print(f"{options.out}: {len(scales)} layers on int8 activations, calibrated on {len(indices)} samples")
    return 0


if __name__ == "__main__":
    sys.exit(main())
