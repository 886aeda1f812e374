"""A model file as a network for evaluation: its graph, run by PyTorch, on samples of a data set."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .batches import Batch, BatchMaker
from .dataset import OccupancyDataset
from .engine_rounding import ENGINE
from .heads import MAP_SIZES
from .model_file import load_model
from .prediction import Prediction
from .previous import Previous
from .run_graph import GraphRun, History, Rig, run_graph
from .sample_spec import SampleSpec


class ExportedModel:
    """@raises ValueError for a model without occupancy or without lift_splat."""

    def __init__(self, path: Path):
        self.manifest, self._tensors = load_model(path)
        graph = self.manifest["graph"]
        lifts = [operation for operation in graph["operations"] if operation["op"] == "lift_splat"]
        if "occupancy_labels" not in graph["outputs"] or len(lifts) != 1:
            raise ValueError(f"{path}: expected one lift_splat and the output occupancy_labels")
        self._depths = tuple(lifts[0]["attributes"]["depths"])
        self._stride = _stride_of(lifts[0]["inputs"][0], graph)

    def batch_maker(self, root: Path, cache: Path | None) -> BatchMaker:
        image, grid = self.manifest["input"], self.manifest["grid"]
        nx, ny, _ = grid["shape"]
        spec = SampleSpec(
            width=image["width"],
            height=image["height"],
            stride=self._stride,
            camera_names=tuple(image["camera_names"]),
            grid_min=tuple(grid["min"]),
            grid_max=tuple(grid["max"]),
            grid_shape=tuple(grid["shape"]),
            depths=self._depths,
            detection_classes=tuple(c["name"] for c in self.manifest.get("detection", {"classes": ()})["classes"]),
        )
        dataset = OccupancyDataset(root, spec, cache)
        ops = {operation["op"] for operation in self.manifest["graph"]["operations"]}
        frames_before = len(ops & {"align_previous", "stereo_cost_volume"})
        return BatchMaker(dataset, tuple(image["mean"]), tuple(image["std"]), (ny, nx), frames_before)

    def predict(self, batch: Batch) -> list[Prediction]:
        """Of each sample; cameras without an image are left out, as the engine does."""
        shape = tuple(self.manifest["grid"]["shape"])
        names = self.manifest["graph"]["outputs"]
        return [
            Prediction(
                labels=run.values[names["occupancy_labels"]].numpy().astype(np.uint8).reshape(shape),
                maps={role: run.values[names[role]][0] for role in MAP_SIZES if role in names},
            )
            for run in self.runs(batch)
        ]

    def runs(self, batch: Batch) -> Iterator[GraphRun]:
        """The values of all tensors of the graph, sample by sample, each behind the frames before it."""
        for sample in range(len(batch.images)):
            with torch.no_grad():
                yield self._run(batch, sample)

    def _run(self, frame: Batch | Previous, sample: int) -> GraphRun:
        live = frame.camera_mask[sample]
        rig = _rig(frame, sample)
        history, previous = None, frame.previous
        if previous is not None and previous.exists[sample]:
            if not torch.equal(live, previous.camera_mask[sample]):
                raise ValueError("a network with a memory needs the same cameras in each frame of a scene")
            before = self._run(previous, sample)
            history = History(before.kept, previous.motion[sample, :3], _rig(previous, sample))
        images = frame.images[sample][live]
        return run_graph(self.manifest, self._tensors, {"images": images}, rig, history, ENGINE)


def _rig(frame: Batch | Previous, sample: int) -> Rig:
    live = frame.camera_mask[sample]
    return Rig(frame.rays[sample][live], frame.origins[sample][live], frame.parameters[sample][live])


def _stride_of(tensor: str, graph: Mapping[str, Any]) -> int:
    """Pixels of the image to one cell of `tensor`, which comes from the images by operations with one main input."""
    producers = {output: operation for operation in graph["operations"] for output in operation["outputs"]}
    stride = Fraction(1)
    while (operation := producers.get(tensor)) is not None:
        attributes = operation.get("attributes", {})
        stride *= Fraction(attributes.get("stride", [1])[0]) / attributes.get("factor", 1)
        tensor = operation["inputs"][0]
    return int(stride)
