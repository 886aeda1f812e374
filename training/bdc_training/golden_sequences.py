"""Graphs that keep a feature from frame to frame, with frames one after the other."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .golden_graphs import Array, GoldenGraph, normal, two_cameras

# [3, 4]: (x, y, z, 1) of the base frame now → the base frame then. None: no history (the first frame, or a reset).
Motion = Array | None


def moved(yaw: float, x: float, y: float) -> Array:
    """On the ground plane; radians, metres."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.array([[cos, -sin, 0, x], [sin, cos, 0, y], [0, 0, 1, 0]], dtype=np.float32)


@dataclass
class GoldenSequence:
    """`graph.inputs` is the first frame's."""

    graph: GoldenGraph
    frames: list[dict[str, Array]]
    motions: list[Motion]


def sequence(make: Callable[[np.random.Generator], GoldenGraph], *motions: Motion):
    def frames(random: np.random.Generator) -> GoldenSequence:
        golden = make(random)
        later = [
            {name: np.abs(value) if name == "depth" else value for name, value in inputs.items()}
            for inputs in (
                {name: normal(random, *value.shape) for name, value in golden.inputs.items()} for _ in motions[1:]
            )
        ]
        return GoldenSequence(golden, [golden.inputs, *later], list(motions))

    return frames


def aligned(random: np.random.Generator) -> GoldenGraph:
    """One map, with the one before beside it."""
    golden = GoldenGraph({"x": normal(random, 1, 3, 5, 70)})
    golden.grid = {"min": [-6.0, -4.0, -1.0], "max": [6.0, 4.0, 3.0], "shape": [6, 5, 2]}
    golden.graph.add("align_previous", "previous", ["x"])
    golden.outputs = {"output": golden.graph.add("concat", "both", ["x", "previous"])}
    return golden


def two_histories(random: np.random.Generator) -> GoldenGraph:
    """Behind lift_splat, at two resolutions: each operation has its own history."""
    golden = GoldenGraph(
        {"depth": np.abs(normal(random, 2, 3, 2, 3)), "context": normal(random, 2, 4, 2, 3)},
        rig=(normal(random, 2, 2, 3, 3), normal(random, 2, 3)),
        grid={"min": [-6.0, -4.0, -1.0], "max": [6.0, 4.0, 3.0], "shape": [6, 8, 2]},
    )
    graph = golden.graph
    bev = graph.add("lift_splat", "bev", ["depth", "context"], {"depths": [0.5, 1.0, 2.0]})
    both = graph.add("concat", "both", [bev, graph.add("align_previous", "previous", [bev])])
    weight = normal(random, 5, 8, 3, 3)
    conv = graph.add("conv2d", "conv", [both], {"stride": [2, 2], "padding": [1, 1]}, {"weight": weight})
    coarse = graph.add("align_previous", "coarse_previous", [conv])
    golden.outputs = {"fine": both, "coarse": coarse, "sum": graph.add("add", "sum", [conv, coarse])}
    return golden


GOLDEN_SEQUENCES = {
    "align-previous": sequence(aligned, None, moved(0.4, 1.3, -0.7), moved(0, 0, 0), None, moved(-2.5, 0, 3)),
    "stereo": sequence(two_cameras, None, moved(0.05, 0.8, 0.1), moved(0.1, 0, 0), None, moved(-0.02, 1.2, 0.3)),
    "two-histories": sequence(two_histories, None, moved(0.1, 0.9, 0.2), moved(-0.05, 1.1, 0)),
}
