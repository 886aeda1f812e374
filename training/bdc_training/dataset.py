"""Samples of a nuScenes + Occ3D data set, prepared once and cached as the arrays that training reads."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .depth_targets import depth_targets, load_points
from .detection_targets import BOX_COLUMNS
from .images import load_image
from .nuscenes_tables import NuScenesTables, SampleRecord
from .occupancy_labels import load_labels
from .pixel_rays import pixel_rays
from .rigid import apply, invert
from .sample_spec import SampleSpec


@dataclass(frozen=True)
class Sample:
    """One key frame in the ego frame, not augmented or normalised (N cameras, h × w feature cells, D depth bins)."""

    # uint8 [N, 3, H, W]
    images: np.ndarray
    # bool [N]; False where the data set has no image of that camera.
    camera_mask: np.ndarray
    # float32 [N, h, w, 3], metres per metre of depth along the optical axis.
    rays: np.ndarray
    # float32 [N, 3], metres.
    origins: np.ndarray
    # uint8 [nx, ny, nz]; UNSEEN where no camera sees the voxel.
    labels: np.ndarray
    # float16 [N, D, h, w]; all zero in cells without a LiDAR return.
    depth: np.ndarray
    # float32 [n, BOX_COLUMNS]
    boxes: np.ndarray


class OccupancyDataset:
    """Reads samples by index. `cache` is a folder; a sample is decoded when first asked for and read from there later.

    The cache belongs to one state of `root`: remove it after regenerating the data set.
    """

    def __init__(self, root: Path, spec: SampleSpec, cache: Path | None = None, scenes: list[str] | None = None):
        records = NuScenesTables(root).samples()
        if scenes is not None:
            wanted = set(scenes)
            records = [record for record in records if record.scene in wanted]
        if not records:
            raise ValueError(f"{root}: no samples" + ("" if scenes is None else f" of the scenes {', '.join(scenes)}"))
        self.spec = spec
        self._records = records
        self._cache = (root / "cache" if cache is None else cache) / spec.digest()
        self._cache.mkdir(parents=True, exist_ok=True)

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Sample:
        path = self._cache / f"{self._records[index].token}.npz"
        if path.exists():
            with np.load(path) as file:
                return Sample(**{name: file[name] for name in file.files})
        sample = prepare_sample(self._records[index], self.spec)
        # Written beside and renamed: an interrupted run leaves no half sample.
        partial = path.with_suffix(f".{os.getpid()}.partial.npz")
        np.savez(partial, **vars(sample))
        partial.replace(path)
        return sample

    def labels(self, index: int) -> np.ndarray:
        """Only the labels, without reading the images of a cached sample."""
        path = self._cache / f"{self._records[index].token}.npz"
        if not path.exists():
            return self[index].labels
        with np.load(path) as file:
            return file["labels"]


def prepare_sample(record: SampleRecord, spec: SampleSpec) -> Sample:
    cameras, (rows, columns) = len(spec.camera_names), spec.feature_shape
    images = np.zeros((cameras, 3, spec.height, spec.width), dtype=np.uint8)
    camera_mask = np.zeros(cameras, dtype=bool)
    rays = np.full((cameras, rows, columns, 3), np.nan, dtype=np.float32)
    origins = np.zeros((cameras, 3), dtype=np.float32)
    depth = np.zeros((cameras, len(spec.depths), rows, columns), dtype=np.float16)
    points = apply(record.ego_from_lidar, load_points(record.lidar_path))
    for i, name in enumerate(spec.camera_names):
        camera = record.cameras.get(name)
        if camera is None:
            continue
        images[i], resize_crop = load_image(camera.path, (spec.width, spec.height))
        pixel_from_camera = resize_crop.matrix @ camera.intrinsics
        camera_mask[i] = True
        size = spec.width, spec.height
        rays[i] = pixel_rays(pixel_from_camera, camera.ego_from_camera[:3, :3], size, (rows, columns))
        origins[i] = camera.ego_from_camera[:3, 3]
        depth[i] = depth_targets(apply(invert(camera.ego_from_camera), points), pixel_from_camera, spec)
    boxes = [
        [spec.detection_classes.index(box.name), *box.center, *box.size, box.yaw, *box.velocity]
        for box in record.boxes
        if box.name in spec.detection_classes
    ]
    return Sample(
        images=images,
        camera_mask=camera_mask,
        rays=rays,
        origins=origins,
        labels=load_labels(record.labels_path, spec),
        depth=depth,
        boxes=np.array(boxes, dtype=np.float32).reshape(-1, BOX_COLUMNS),
    )
