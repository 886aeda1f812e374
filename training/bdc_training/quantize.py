"""Gives the 1×1 convolutions of a model file that see real activations a scale for int8 ones (W1A8).

Each layer's scale is the one with the least mean squared rounding and clipping error over its activations on samples of
a data set, as the model without scales computes them. Layers that see a single pixel, as in refinement branches, stay
as they are: int8 would save nothing there.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
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


def quantisable(operation: Mapping[str, Any], tensors: Mapping[str, np.ndarray], values: Mapping[str, Tensor]) -> bool:
    """Whether an operation is a 1×1 convolution of binary weights on the real values of several pixels."""
    if operation["op"] != "binary_conv2d":
        return False
    x = values[operation["inputs"][0]]
    _, *kernel, _ = tensors[operation["tensors"]["weight"]].shape
    attributes = operation["attributes"]
    pointwise = kernel == [1, 1] and attributes["stride"] == [1, 1] and attributes["padding"] == [0, 0]
    return pointwise and x.shape[-2:].numel() > 1


def calibrated(
    manifest: Mapping[str, Any], tensors: Mapping[str, np.ndarray], runs: Iterable[Mapping[str, Tensor]]
) -> dict[str, float]:
    """Scales by operation name. `runs`: the values of all tensors of the graph, sample by sample.

    @raises ValueError for a model without such layers, or one whose layers have scales already.
    """
    operations = manifest["graph"]["operations"]
    signs = {output for operation in operations if operation["op"] == "sign" for output in operation["outputs"]}
    collected: dict[str, list[Tensor]] = {}
    for values in runs:
        for operation in operations:
            if operation["inputs"][0] in signs or not quantisable(operation, tensors, values):
                continue
            if "activation_scale" in operation["attributes"]:
                raise ValueError(f"{operation['name']} has an activation_scale already: quantise the original model")
            flat = values[operation["inputs"][0]].flatten()
            step = max(1, len(flat) // VALUES_PER_SAMPLE)
            collected.setdefault(operation["name"], []).append(flat[::step].clone())
    if not collected:
        raise ValueError("no 1×1 binary convolution sees real activations: there is nothing to quantise")
    return {name: best_scale(torch.cat(parts)) for name, parts in collected.items()}


def with_scales(manifest: Mapping[str, Any], scales: Mapping[str, float]) -> dict[str, Any]:
    """The manifest with `activation_scale` on the named operations."""
    operations = [
        {**operation, "attributes": {**operation["attributes"], "activation_scale": scales[operation["name"]]}}
        if operation["name"] in scales
        else operation
        for operation in manifest["graph"]["operations"]
    ]
    return {**manifest, "graph": {**manifest["graph"], "operations": operations}}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.quantize", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model file of bdc_training.export")
    parser.add_argument("--data", type=Path, required=True, help="data set it was trained on")
    parser.add_argument("--cache", type=Path, help="folder for prepared samples (default: cache/ in the data set)")
    parser.add_argument(
        "--samples", type=positive_int, default=8, help="calibrate on so many, evenly spaced (default: 8)"
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
        scales = calibrated(manifest, tensors, runs)
        changed = {**with_scales(manifest, scales), "metrics": options.metrics}
        save_model(options.out, {**changed, "name": options.name or manifest["name"]}, tensors)
    except (OSError, ValueError, jsonschema.ValidationError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    for name, scale in scales.items():
        print(f"{name:<50} {scale:.3e}")
    print(f"{options.out}: {len(scales)} layers on int8 activations, calibrated on {len(indices)} samples")
    return 0


if __name__ == "__main__":
    sys.exit(main())
