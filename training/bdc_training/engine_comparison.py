"""How far the native engine's voxels are from PyTorch's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .metrics import OccupancyMetric


@dataclass(frozen=True)
class EngineAgreement:
    samples: int
    # Of all voxels, whether a camera sees them or not.
    equal_voxels: float
    # Engine − PyTorch, in percentage points of mIoU (camera-visible voxels).
    miou_difference: float


class EngineComparison:
    """`folder` holds what `bdc-occ evaluate --write-occupancy` wrote for the same data set."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._equal, self._voxels, self._samples = 0, 0, 0
        self._engine, self._pytorch = OccupancyMetric(), OccupancyMetric()

    def add(self, token: str, labels: np.ndarray, predicted: np.ndarray) -> None:
        """True classes (UNSEEN where no camera looks) and PyTorch's, on the model's grid.

        @raises ValueError if the engine's voxels are missing or no repetition of the model's grid.
        """
        path = self._folder / f"{token}.npz"
        if not path.exists():
            raise ValueError(f"{path}: missing; write it with bdc-occ evaluate --write-occupancy {self._folder}")
        with np.load(path) as file:
            fine = file["arr_0"]
        factor = fine.shape[0] // predicted.shape[0]
        engine = fine[::factor, ::factor, ::factor]
        if engine.shape != predicted.shape:
            raise ValueError(f"{path}: {fine.shape} voxels are no multiple of the model's {predicted.shape}")
        self._equal += int((engine == predicted).sum())
        self._voxels += engine.size
        self._samples += 1
        self._engine.add(labels, engine)
        self._pytorch.add(labels, predicted)

    def agreement(self) -> EngineAgreement:
        difference = 100 * (self._engine.mean_iou() - self._pytorch.mean_iou())
        return EngineAgreement(self._samples, self._equal / max(1, self._voxels), difference)
