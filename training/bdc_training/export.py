"""Writes a trained network as a model file.

python -m bdc_training.export --config CONFIG --checkpoint CHECKPOINT --out MODEL
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .checkpoint import load_weights
from .config import Config, load_config
from .graph_builder import GraphBuilder
from .model_file import graph_manifest, network_manifest, save_model
from .network import Network, build_network


def export_network(
    network: Network,
    config: Config,
    path: Path,
    *,
    license: str = "Apache-2.0",
    training_data: str = "none",
    metrics: Mapping[str, Any] | None = None,
) -> None:
    """The network in evaluation mode: batch norms use, and are folded with, their running statistics."""
    graph = GraphBuilder()
    outputs = network.emit(graph)
    manifest = network_manifest(config, license=license, training_data=training_data, metrics=metrics or {})
    inputs = {"images": ("cameras", 3, config.input.height, config.input.width)}
    manifest["graph"] = graph_manifest(graph, inputs, outputs)
    save_model(path, manifest, graph.tensors)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.export", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="YAML file the network was trained with")
    parser.add_argument("--checkpoint", type=Path, help="checkpoint of bdc_training.train (default: random weights)")
    parser.add_argument("--out", type=Path, required=True, help="model file to write (.safetensors)")
    parser.add_argument("--name", help="name of the model (default: the config's)")
    parser.add_argument("--license", default="Apache-2.0")
    parser.add_argument("--training-data", default="none", help="one line for the manifest")
    parser.add_argument("--metrics", type=json.loads, default={}, help="JSON object for the manifest")
    options = parser.parse_args(arguments)

    try:
        config = load_config(options.config)
        config = replace(config, name=options.name or config.name)
        network = build_network(config)
        if options.checkpoint is not None:
            load_weights(network, options.checkpoint)
        export_network(
            network,
            config,
            options.out,
            license=options.license,
            training_data=options.training_data,
            metrics=options.metrics,
        )
    except (OSError, ValueError) as error:
        # A file that isn't there, a wrong config, a checkpoint of another network, weights that aren't finite.
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    print(f"{options.out}: {options.out.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
