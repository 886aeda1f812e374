"""Adding modules to a graph one after the other."""

from torch import nn

from .graph_builder import GraphBuilder


def emit_all(modules: nn.Sequential, graph: GraphBuilder, name: str, x: str) -> str:
    """Each module behind the one before, named `<name>.<index>`; returns the last one's output."""
    for i, module in enumerate(modules):
        x = module.emit(graph, f"{name}.{i}", x)
    return x
