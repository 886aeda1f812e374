"""Prints how often a data set's cameras see each class, as a Markdown table."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from .classes import FREE, OCCUPANCY_CLASSES
from .nuscenes_tables import NuScenesTables
from .occupancy_labels import load_visible_labels
from .sample_spec import UNSEEN


def class_table(scenes: Iterable[tuple[str, np.ndarray]]) -> str:
    """`scenes`: of each sample, its scene's name and its labels (any shape; UNSEEN is skipped)."""
    names: set[str] = set()
    seen_in: list[set[str]] = [set() for _ in OCCUPANCY_CLASSES]
    counts = np.zeros(UNSEEN + 1, dtype=np.int64)
    for scene, labels in scenes:
        names.add(scene)
        in_sample = np.bincount(labels.ravel(), minlength=UNSEEN + 1)
        counts += in_sample
        for label in np.flatnonzero(in_sample[: len(OCCUPANCY_CLASSES)]):
            seen_in[label].add(scene)
    visible = max(1, counts[:UNSEEN].sum())
    lines = ["| class | scenes (%) | visible voxels (%) |", "| --- | ---: | ---: |"]
    for label, occupancy_class in enumerate(OCCUPANCY_CLASSES):
        share = 100 * len(seen_in[label]) / max(1, len(names))
        lines.append(f"| {occupancy_class.name} | {share:.0f} | {100 * counts[label] / visible:.3f} |")
    lines += ["", f"{len(names)} scenes; {100 * counts[FREE] / visible:.1f} % of the visible voxels are free."]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bdc_training.class_table", description=__doc__)
    parser.add_argument("data", type=Path, help="data set in the layout of nuScenes with Occ3D's labels")
    options = parser.parse_args(arguments)
    try:
        records = NuScenesTables(options.data).samples()
        print(class_table((record.scene, load_visible_labels(record.labels_path)) for record in records))
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
