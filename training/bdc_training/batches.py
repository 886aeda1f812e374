"""Batches as tensors. Batch `step` is a pure function of the seed and the step, so a resumed run sees the same data."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from .augmentation import AugmentationConfig, augmented
from .dataset import OccupancyDataset, Sample
from .detection_targets import DetectionTargets, detection_targets
from .previous import Previous
from .sample_spec import SampleSpec

# A sample by index, as it is to be learned from, and its photometric jitter (bdc_training.augmentation).
ReadSample = Callable[[int], tuple[Sample, np.ndarray]]

# Batches prepared ahead of the one being trained on.
AHEAD = 2


@dataclass(frozen=True)
class Batch:
    """B samples of N cameras."""

    # float32 [B, N, 3, H, W], normalised.
    images: Tensor
    # bool [B, N]
    camera_mask: Tensor
    # float32 [B, N, h, w, 3]
    rays: Tensor
    # float32 [B, N, 3]
    origins: Tensor
    # float32 [B, N, 27] (bdc_training.calibration).
    parameters: Tensor
    # Of networks with a memory.
    previous: Previous | None
    # int64 [B, nz, ny, nx]; UNSEEN where no camera sees the voxel.
    labels: Tensor
    # float32 [B, N, D, h, w]
    depth: Tensor
    # float32 [B, classes, ny', nx'] …
    heatmap: Tensor
    # … and per object of the whole batch: sample, cell (row · nx' + column), code.
    object_samples: Tensor
    object_cells: Tensor
    object_codes: Tensor

    @property
    def inputs(self) -> tuple[Tensor | Previous | None, ...]:
        """The network's arguments."""
        return self.images, self.rays, self.origins, self.camera_mask, self.parameters, self.previous

    def to(self, device: torch.device) -> "Batch":
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return Batch(**{name: None if value is None else value.to(device) for name, value in values.items()})


class BatchMaker:
    """`mean` and `std` (RGB, 0…255 scale), the detection map's shape (ny', nx') and how many frames before its own a
    sample needs come from the model's config."""

    def __init__(
        self,
        dataset: OccupancyDataset,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        detection_shape: tuple[int, int],
        frames_before: int = 0,
    ):
        self.dataset = dataset
        self._mean = np.array(mean, dtype=np.float32)
        self._std = np.array(std, dtype=np.float32)
        self._detection_shape = detection_shape
        self._frames_before = frames_before

    def plain(self, indices: list[int]) -> Batch:
        """Samples as they are."""
        identity = np.broadcast_to(np.array([1, 0], dtype=np.float32), (len(self.dataset.spec.camera_names), 3, 2))
        return self._collate([(index, lambda i: (self.dataset[i], identity)) for index in indices])

    def training(
        self, step: int, size: int, seed: int, augmentation: AugmentationConfig, share: slice = slice(None)
    ) -> Batch:
        """Batch number `step` (from 0) of a run that walks through shuffled epochs, or a share of it."""

        def read(position: int) -> ReadSample:
            # The frames before a sample get its random numbers, so that they change alike.
            return lambda i: augmented(self.dataset, i, augmentation, np.random.default_rng([seed, 1, position]))

        return self._collate([(index, read(position)) for position, index in self._places(step, size, seed)[share]])

    def tokens(self, step: int, size: int, seed: int) -> list[str]:
        """The data set's tokens of that batch's samples."""
        return [self.dataset.token(index) for _, index in self._places(step, size, seed)]

    def _places(self, step: int, size: int, seed: int) -> list[tuple[int, int]]:
        """(position in the run, index of the sample) of each place in a batch."""
        places = []
        for position in range(step * size, (step + 1) * size):
            epoch, place = divmod(position, len(self.dataset))
            order = np.random.default_rng([seed, 0, epoch]).permutation(len(self.dataset))
            places.append((position, int(order[place])))
        return places

    def _collate(self, places: Sequence[tuple[int, ReadSample]]) -> Batch:
        """Of samples by index, each with the function that reads it and the frames before it."""
        spec = self.dataset.spec
        read = [read(index) for index, read in places]
        samples = [sample for sample, _ in read]
        targets = [self._detection_targets(sample, spec) for sample in samples]
        return Batch(
            **self._inputs(read),
            previous=self._previous(places, self._frames_before),
            labels=torch.from_numpy(np.stack([s.labels.transpose(2, 1, 0) for s in samples]).astype(np.int64)),
            depth=torch.from_numpy(np.stack([s.depth for s in samples]).astype(np.float32)),
            heatmap=torch.from_numpy(np.stack([t.heatmap for t in targets])),
            object_samples=torch.from_numpy(np.repeat(np.arange(len(targets)), [len(t.cells) for t in targets])),
            object_cells=torch.from_numpy(np.concatenate([t.cells for t in targets])),
            object_codes=torch.from_numpy(np.concatenate([t.codes for t in targets])),
        )

    def _inputs(self, read: Sequence[tuple[Sample, np.ndarray]]) -> dict[str, Tensor]:
        """What the network sees of one moment, by field of Batch and Previous."""
        fields_of = ("camera_mask", "rays", "origins", "parameters")
        arrays = {name: np.stack([getattr(sample, name) for sample, _ in read]) for name in fields_of}
        images = torch.stack([self._normalised(sample.images, jitter) for sample, jitter in read])
        return {"images": images, **{name: torch.from_numpy(array) for name, array in arrays.items()}}

    def _previous(self, places: Sequence[tuple[int, ReadSample]], frames: int) -> Previous | None:
        """The frames before the samples, `frames` of them one behind the other."""
        if frames == 0:
            return None
        before = [self.dataset.before(index) for index, _ in places]
        # Where there is none the sample itself fills its place.
        earlier = [(index if b is None else b[0], read) for (index, read), b in zip(places, before, strict=True)]
        return Previous(
            **self._inputs([read(index) for index, read in earlier]),
            motion=torch.from_numpy(np.stack([np.eye(4) if b is None else b[1] for b in before])),
            exists=torch.tensor([b is not None for b in before]),
            previous=self._previous(earlier, frames - 1),
        )

    def _detection_targets(self, sample: Sample, spec: SampleSpec) -> DetectionTargets:
        classes = len(spec.detection_classes)
        return detection_targets(sample.boxes, classes, spec.grid_min, spec.grid_max, self._detection_shape)

    def _normalised(self, images: np.ndarray, jitter: np.ndarray) -> Tensor:
        """(clip(pixel · gain + offset) − mean) / std."""
        values = images.astype(np.float32)
        values *= jitter[:, :, 0, None, None]
        values += jitter[:, :, 1, None, None]
        np.clip(values, 0, 255, out=values)
        values -= self._mean[:, None, None]
        values /= self._std[:, None, None]
        return torch.from_numpy(values)


def training_batches(
    maker: BatchMaker, first_step: int, size: int, seed: int, augmentation: AugmentationConfig, share: slice
) -> Iterator[Batch]:
    """Endless batches, or shares of them, from `first_step` on, prepared by one thread while the caller trains."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        queue: list[Future[Batch]] = []
        step = first_step
        try:
            while True:
                while len(queue) < AHEAD:
                    queue.append(executor.submit(maker.training, step, size, seed, augmentation, share))
                    step += 1
                yield queue.pop(0).result()
        finally:
            for future in queue:
                future.cancel()
