"""Parameters and multiply-accumulates of a network, by module and by what is multiplied.

python -m bdc_training.network_cost CONFIG [--set KEY=VALUE …]
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from .binary import BinaryConv2d, BinaryConvBlock
from .calibration import PARAMETERS
from .config import Config, load_config
from .network import Network, build_network
from .published_count import PublishedCount
from .published_results import published_result
from .stereo_view_transformer import MATCHING_STRIDE

# A parameter of one bit as a share of one of 32, and a multiplication of bits as one of 64 in a word.
BITS_IN_PARAMETER = 32
BINARY_IN_OPERATION = 64


@dataclass
class Cost:
    """Multiply-accumulates of one sample: all cameras, and the grid once. Convolutions only."""

    # ±1 weights on ±1 activations.
    binary: int = 0
    # ±1 weights on real activations.
    mixed: int = 0
    # Real weights.
    real: int = 0

    @property
    def operations(self) -> float:
        """Real ones, and one for 64 of those with ±1 weights."""
        return self.real + (self.binary + self.mixed) / BINARY_IN_OPERATION

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.binary + other.binary, self.mixed + other.mixed, self.real + other.real)


@dataclass
class ModuleCost:
    macs: Cost = field(default_factory=Cost)
    # Real ones, and those of which only the sign counts.
    real_parameters: int = 0
    binary_parameters: int = 0

    @property
    def parameters(self) -> float:
        """Real ones, and one for 32 of one bit."""
        return self.real_parameters + self.binary_parameters / BITS_IN_PARAMETER

    def __add__(self, other: "ModuleCost") -> "ModuleCost":
        return ModuleCost(
            self.macs + other.macs,
            self.real_parameters + other.real_parameters,
            self.binary_parameters + other.binary_parameters,
        )


def network_cost(config: Config) -> Cost:
    return sum((module.macs for module in module_costs(config).values()), Cost())


def module_costs(config: Config) -> dict[str, ModuleCost]:
    """By the network's parts, counted while shapes without values go through them."""
    network = _network_of_shapes(config)
    costs = {name: _parameters(part) for name, part in network.named_children()}
    signed = {id(m.conv) for m in network.modules() if isinstance(m, BinaryConvBlock) and m.sign is not None}
    for name, part in network.named_children():
        for layer in part.modules():
            if isinstance(layer, nn.Conv2d | BinaryConv2d):
                layer.register_forward_hook(_counter(costs[name].macs, id(layer) in signed))
    _pass_shapes(network, config)
    return costs


def published_count(config: Config) -> PublishedCount:
    network = _network_of_shapes(config)
    count = PublishedCount(network)
    _pass_shapes(network, config)
    return count


def _network_of_shapes(config: Config) -> Network:
    return build_network(config).eval().to("meta")


def _pass_shapes(network: Network, config: Config) -> None:
    """All but lift-splat, the warp of the previous frame and the stereo cost volume, which multiply no weights."""
    cameras, (nx, ny, _) = len(config.input.camera_names), config.grid.shape
    with torch.no_grad():
        images = torch.empty(cameras, 3, config.input.height, config.input.width, device="meta")
        features = network.image_encoder(images)
        if config.view_transformer.kind == "stereo":
            rows, columns = (size // MATCHING_STRIDE for size in (config.input.height, config.input.width))
            volume = torch.empty(cameras, config.view_transformer.depth_bins, rows, columns, device="meta")
            network.view_transformer.depth_context(features, torch.empty(cameras, PARAMETERS, device="meta"), volume)
        else:
            network.view_transformer.depth_context(features)
        bev = torch.empty(1, config.view_transformer.context_channels, ny, nx, device="meta")
        if network.temporal is not None:
            bev = network.temporal(network.temporal.prepare(bev), None, None)
        bev = network.bev_encoder(bev)
        for head in (network.occupancy_head, network.detection_head):
            if head is not None:
                head(bev)


def _parameters(part: nn.Module) -> ModuleCost:
    binary = sum(m.weight.numel() for m in part.modules() if isinstance(m, BinaryConv2d))
    return ModuleCost(Cost(), sum(p.numel() for p in part.parameters()) - binary, binary)


def _counter(cost: Cost, is_signed: bool):
    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        multiplications = output.numel() * layer.weight[0].numel()
        if not isinstance(layer, BinaryConv2d):
            cost.real += multiplications
        elif is_signed:
            cost.binary += multiplications
        else:
            cost.mixed += multiplications

    return count


def cost_table(config: Config, costs: Mapping[str, ModuleCost]) -> str:
    """Markdown: a row a module and the whole network; the paper's figures where the network is the paper's."""
    rows = [*costs.items(), ("whole network", sum(costs.values(), ModuleCost()))]
    lines = [
        f"| {config.name} | real (M) | one bit (M) | ±1·±1 (G) | ±1·real (G) | real (G) "
        "| real + one bit / 32 (M) | real + ±1 / 64 (G) |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, cost in rows:
        macs = cost.macs
        cells = [
            f"{cost.real_parameters / 1e6:.2f}",
            f"{cost.binary_parameters / 1e6:.2f}",
            *(f"{count / 1e9:.2f}" for count in (macs.binary, macs.mixed, macs.real)),
            f"{cost.parameters / 1e6:.2f}",
            f"{macs.operations / 1e9:.2f}",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    paper = published_result(config)
    if paper is not None:
        count = published_count(config)
        lines += [
            "",
            f"The paper's {paper.name}: {paper.parameters_m:.2f} M, {paper.operations_g:.2f} G; ours by its count, "
            f"without binary convolutions: {count.parameters / 1e6:.2f} M, {count.operations / 1e9:.2f} G.",
        ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.network_cost", description=__doc__)
    parser.add_argument("config", type=Path, nargs="+", help="YAML file of the network")
    parser.add_argument("--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[])
    options = parser.parse_args(arguments)
    try:
        for path in options.config:
            config = load_config(path, options.overrides)
            print(cost_table(config, module_costs(config)), end="\n\n")
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
