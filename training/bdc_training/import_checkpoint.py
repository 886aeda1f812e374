"""Makes a model file of a checkpoint of the published code (BDC-Occ, BDC-Det).

python -m bdc_training.import_checkpoint CKPT.pth --config CONFIG --out MODEL
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from .binary import BinaryConv2d, SignActivation
from .config import load_config
from .export import export_network
from .network import Network, build_network
from .published_names import published_names
from .safe_unpickling import load_state_dict

# What torch.nn.parallel and averaged models put before every name of theirs.
WRAPPER = "module."


@dataclass
class ImportReport:
    # Our names by their places in the published network.
    mapped: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    # One line each: name, found and expected shape.
    misshaped: list[str] = field(default_factory=list)
    # Values that are exactly 0 where a sign is taken: 0 in the published code, +1 here.
    zeros: list[str] = field(default_factory=list)

    def faults(self, ignore_unexpected: bool = False) -> list[str]:
        lines = [f"missing: {name}" for name in self.missing] + [f"mis-shaped: {line}" for line in self.misshaped]
        return lines if ignore_unexpected else lines + [f"unexpected: {name}" for name in self.unexpected]

    def lines(self) -> list[str]:
        parts = Counter(name.partition(".")[0] for name in self.mapped)
        lines = [f"{part}: {count} tensors" for part, count in parts.items()]
        lines += [f"unexpected: {name}" for name in self.unexpected]
        return lines + [
            f"exact zeros, which count as +1 here and as 0 in the published code: {line}" for line in self.zeros
        ]


def import_state(network: Network, state: Mapping[str, Tensor]) -> ImportReport:
    """Copies what fits into the network and reports on every name; complete only if there are no faults.

    @raises ValueError for a network that the published code can't have written.
    """
    state = {name.removeprefix(WRAPPER): value for name, value in state.items()}
    report = ImportReport()
    own = network.state_dict()
    names = published_names(network)
    signed = _signed_names(network)
    for ours, theirs in names.items():
        if theirs not in state:
            # Checkpoints older than the counter have none; nothing here reads it.
            if not theirs.endswith("num_batches_tracked"):
                report.missing.append(theirs)
            continue
        value, target = state[theirs], own[ours]
        # Theirs are [1, C, 1, 1] where ours are [C], and [O, I] for 1×1 convolutions.
        if [n for n in value.shape if n != 1] != [n for n in target.shape if n != 1]:
            report.misshaped.append(f"{theirs}: found {list(value.shape)}, expected {list(target.shape)} for {ours}")
            continue
        target.copy_(value.reshape(target.shape))
        report.mapped[theirs] = ours
        count = int((value == 0).sum()) if ours in signed else 0
        if count:
            report.zeros.append(f"{theirs} ({count} of {value.numel()})")
    known = set(names.values())
    report.unexpected = [name for name in state if name not in known]
    return report


def _signed_names(network: Network) -> set[str]:
    """Binary weights, and the biases of signs: an input of 0, which ReLU makes, has the sign of the bias."""
    names = {f"{name}.weight" for name, m in network.named_modules() if isinstance(m, BinaryConv2d)}
    return names | {f"{name}.bias" for name, m in network.named_modules() if isinstance(m, SignActivation)}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.import_checkpoint", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="checkpoint of the published code (.pth)")
    parser.add_argument("--config", type=Path, required=True, help="YAML file of the same network")
    parser.add_argument("--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[])
    parser.add_argument("--out", type=Path, required=True, help="model file to write (.safetensors)")
    parser.add_argument("--license", default="unknown", help="of the weights (default: %(default)s)")
    parser.add_argument("--training-data", default="nuScenes", help="default: %(default)s")
    parser.add_argument(
        "--ignore-unexpected",
        action="store_true",
        help="write the model though the checkpoint holds more than it needs",
    )
    options = parser.parse_args(arguments)
    try:
        config = load_config(options.config, options.overrides)
        network = build_network(config).eval()
        with torch.no_grad():
            report = import_state(network, load_state_dict(options.checkpoint))
        if faults := report.faults(options.ignore_unexpected):
            raise ValueError(
                f"{options.checkpoint} is not of {options.config}; {len(report.mapped)} tensors fit\n"
                + "\n".join(faults)
            )
        export_network(network, config, options.out, license=options.license, training_data=options.training_data)
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    print("\n".join(report.lines()))
    print(f"{options.out}: {options.out.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
