"""How far binarization takes a network from its real-valued twin as 1×1 or 3×3 convolutions are added to it.

A 3×3 block and `n` added blocks (convolution → batch norm → RPReLU) stand once with binary weights and once with the
same weights unrounded. Measured on random weights and features, between the two:

* output error: 1 − ρ², ρ the correlation of the last batch norm's outputs, mean over channels. 0 is equal, 1 unrelated;
  a factor between the two, which the next batch norm takes out again, does not count.
* gradient error: 1 − cos² of the angle between the gradients of the first block's weights, for one random linear loss.

Of one layer alone, without batch norm, also the mean absolute error of its sums, which a common factor does change.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .binary import BinaryConv2d, BinaryConvBlock, sign
from .config_sections import Precision
from .file_replacement import replace_file
from .line_chart import Line, line_chart_svg

Features = Literal["white", "smooth"]
Quantity = Literal["output", "gradient"]


@dataclass(frozen=True)
class Stack:
    """What is added to the 3×3 block, which itself signs its input. `signed`: W1A1, else W1A32."""

    kernel_size: int
    signed: bool

    @property
    def name(self) -> str:
        return f"{self.kernel_size}×{self.kernel_size} {'W1A1' if self.signed else 'W1A32'}"


STACKS = tuple(Stack(kernel_size, signed) for signed in (True, False) for kernel_size in (1, 3))


@dataclass(frozen=True)
class Error:
    """Of one seed, by number of added layers (0 first)."""

    output: tuple[float, ...]
    gradient: tuple[float, ...]


def random_features(kind: Features, batch: int, channels: int, size: int) -> Tensor:
    """[batch, channels, size, size] of zero mean and unit variance, independent between cells or blurred over them."""
    if kind == "white":
        return torch.randn(batch, channels, size, size)
    blurred = torch.randn(batch, channels, size + 8, size + 8)
    for _ in range(2):
        blurred = F.avg_pool2d(blurred, 5, stride=1)
    return blurred / blurred.std()


def measure(stack: Stack, features: Features, added: int, channels: int, size: int, seed: int) -> Error:
    torch.manual_seed(seed)
    x = random_features(features, 4, channels, size)
    binary, real = _twins(stack, added, channels)
    target = torch.randn(4, channels, size, size)
    output, gradient = [], []
    for (binary_first, binary_z), (real_first, real_z) in zip(_levels(binary, x), _levels(real, x), strict=True):
        output.append(1 - _correlation(binary_z, real_z) ** 2)
        pair = [
            torch.autograd.grad((z * target).mean(), first, retain_graph=True)[0].flatten()
            for first, z in ((binary_first, binary_z), (real_first, real_z))
        ]
        gradient.append(1 - F.cosine_similarity(pair[0], pair[1], dim=0).item() ** 2)
    return Error(tuple(output), tuple(gradient))


def expected_output_error(signed: bool, added: int, slope: float = 0.25) -> list[float]:
    """The output error of independent Gaussian features and weights in a wide network, whatever the kernel size.

    ρ = 2/π after the first block (E|w|/σ = √(2/π), once for the weights and once for the signs of the input). An added
    block multiplies the covariance of what it is given, φ = RPReLU of one side and sign or φ of the other, by √(2/π).
    """
    rho = 2 / math.pi
    rounded_weights = math.sqrt(2 / math.pi)
    variance = (1 + slope**2) / 2 - (1 - slope) ** 2 / (2 * math.pi)
    errors = [1 - rho**2]
    for _ in range(added):
        if signed:
            correlation = rho * math.sqrt(2 / math.pi) * (1 + slope) / 2 / math.sqrt(variance)
        else:
            magnitudes = 2 / math.pi * (math.sqrt(1 - rho**2) + rho * math.asin(rho) - 1)
            correlation = (((1 + slope) / 2) ** 2 * rho + ((1 - slope) / 2) ** 2 * magnitudes) / variance
        rho = rounded_weights * correlation
        errors.append(1 - rho**2)
    return errors


@dataclass(frozen=True)
class SingleLayer:
    """Mean absolute error of the sums of one signed layer (no norm), and the share of its energy: 1 − ρ²."""

    fan_in: int
    absolute: float
    absolute_unit_gain: float
    relative: float


def single_layer(kernel_size: int, channels: int, size: int, seed: int) -> SingleLayer:
    """Weights of variance 1; `absolute_unit_gain` after their division by √fan-in, as initialisations have it."""
    torch.manual_seed(seed)
    conv = BinaryConv2d(channels, 32, kernel_size)
    nn.init.normal_(conv.weight)
    # Without the border, whose sums have fewer taps.
    conv.padding = 0
    x = random_features("white", 4, channels, size)
    with torch.no_grad():
        binary = conv(sign(x))
        real = F.conv2d(x, conv.weight)
    fan_in = channels * kernel_size**2
    absolute = (binary - real).abs().mean().item()
    return SingleLayer(fan_in, absolute, absolute / math.sqrt(fan_in), 1 - _correlation(binary, real) ** 2)


def _twins(stack: Stack, added: int, channels: int) -> tuple[nn.ModuleList, nn.ModuleList]:
    def blocks(precision: Precision) -> nn.ModuleList:
        first = BinaryConvBlock(channels, channels, 3, precision=precision)
        rest = [
            BinaryConvBlock(channels, channels, stack.kernel_size, signed=stack.signed, precision=precision)
            for _ in range(added)
        ]
        return nn.ModuleList([first, *rest])

    binary, real = blocks("binary"), blocks("full")
    for block, twin in zip(binary, real, strict=True):
        nn.init.normal_(block.conv.weight, std=1 / math.sqrt(block.conv.weight[0].numel()))
        twin.conv.weight.data.copy_(block.conv.weight.data)
    return binary, real


def _levels(blocks: nn.ModuleList, x: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """After each block: the first block's weights and the batch norm's output (before the RPReLU)."""
    first = blocks[0].conv.weight
    for block in blocks:
        z = block.norm(block.conv(x if block.sign is None else block.sign(x)))
        yield first, z
        x = block.activation(z)


def _correlation(a: Tensor, b: Tensor) -> float:
    """Over samples and cells, mean over channels of [N, C, H, W]."""
    a, b = (t.detach().transpose(0, 1).flatten(1) for t in (a, b))
    return F.cosine_similarity(a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True), dim=1).mean().item()


def table(errors: dict[tuple[Features, Stack], list[Error]], quantity: Quantity) -> str:
    """Markdown; mean ± standard deviation over seeds."""
    columns = list(errors)
    lines = [
        f"| added layers | {' | '.join(f'{stack.name}, {features}' for features, stack in columns)} |",
        f"| ---: |{' ---: |' * len(columns)}",
    ]
    for count in range(len(getattr(errors[columns[0]][0], quantity))):
        values = [[getattr(error, quantity)[count] for error in errors[column]] for column in columns]
        lines.append(f"| {count} | {' | '.join(_spread(v) for v in values)} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    return f"{mean(values):.3f} ± {stdev(values) if len(values) > 1 else 0:.3f}"


def single_layer_table(channels: Sequence[tuple[int, int]], size: int, seeds: int) -> str:
    lines = [
        "| kernel, input channels | fan-in | error, unit weights | error, weights / √fan-in | 1 − ρ² |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for kernel_size, count in channels:
        runs = [single_layer(kernel_size, count, size, seed) for seed in range(seeds)]
        cells = (_spread([getattr(r, name) for r in runs]) for name in ("absolute", "absolute_unit_gain", "relative"))
        lines.append(f"| {kernel_size}×{kernel_size}, {count} | {runs[0].fan_in} | {' | '.join(cells)} |")
    return "\n".join(lines)


def chart(errors: dict[tuple[Features, Stack], list[Error]], quantity: Quantity) -> str:
    dashes = {("white", True): "", ("white", False): "7 4", ("smooth", True): "2 3", ("smooth", False): "8 3 2 3"}
    lines = []
    for (features, stack), runs in errors.items():
        values = list(zip(*(getattr(run, quantity) for run in runs), strict=True))
        lines.append(
            Line(
                name=f"{stack.name}, {features} features",
                means=[mean(v) for v in values],
                spreads=[stdev(v) if len(v) > 1 else 0.0 for v in values],
                hue="#1b6ca8" if stack.kernel_size == 1 else "#c0392b",
                dash=dashes[features, stack.signed],
            )
        )
    return line_chart_svg(f"{quantity} error against added layers", "added binary layers", f"{quantity} error", lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bdc_training.binarization_error",
        description="Measures how binarization error grows with added 1×1 and 3×3 convolutions; prints tables.",
    )
    parser.add_argument("--added", type=int, default=6, help="most added layers (default: %(default)s)")
    parser.add_argument("--channels", type=int, default=64, help="of every layer (default: %(default)s)")
    parser.add_argument("--size", type=int, default=24, help="cells along a side (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="writes binarization-{output,gradient}-error.svg")
    options = parser.parse_args(arguments)
    for name, least in (("added", 0), ("channels", 4), ("size", 3), ("seeds", 1)):
        if getattr(options, name) < least:
            print(f"{parser.prog}: --{name}: expected {least} or more; found {getattr(options, name)}", file=sys.stderr)
            return 2
    kinds: tuple[Features, ...] = ("white", "smooth")
    errors = {
        (features, stack): [
            measure(stack, features, options.added, options.channels, options.size, seed)
            for seed in range(options.seeds)
        ]
        for features in kinds
        for stack in STACKS
    }
    narrow = options.channels // 4
    print("One layer alone\n")
    print(single_layer_table(((1, narrow), (3, narrow), (1, 9 * narrow)), options.size, options.seeds))
    print("\nOutput error, 1 − ρ²\n")
    print(table(errors, "output"))
    print("\nExpected of wide networks on white features, whatever the kernel size\n")
    for signed in (True, False):
        numbers = ", ".join(f"{error:.3f}" for error in expected_output_error(signed, options.added))
        print(f"{'W1A1' if signed else 'W1A32'}: {numbers}")
    print("\nGradient error of the first layer's weights, 1 − cos²\n")
    print(table(errors, "gradient"))
    if options.plot is not None:
        for quantity in ("output", "gradient"):
            path = options.plot / f"binarization-{quantity}-error.svg"
            replace_file(path, chart(errors, quantity).encode())
            print(f"\nwrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
