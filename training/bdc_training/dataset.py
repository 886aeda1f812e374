"""Samples of a nuScenes + Occ3D data set, prepared once and cached as the arrays that training reads."""

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .calibration import camera_parameters, unknown_parameters, with_pixels
from .depth_targets import depth_targets, load_points
from .detection_targets import BOX_COLUMNS
from .image_warp import warp_image
from .images import ResizeCrop, image_size, load_image
from .nuscenes_tables import CameraRecord, NuScenesTables, SampleRecord
from .occupancy_labels import covered_blocks, load_labels
from .pixel_rays import pixel_rays
from .rigid import apply, invert
from .sample_spec import UNSEEN, SampleSpec

# Longest time between a sample and the one before, microseconds, as the engine's frames have it
# (src/perception/frame-history.ts).
MAX_GAP = 2_000_000


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
    # float32 [N, 27] (bdc_training.calibration).
    parameters: np.ndarray
    # uint8 [nx, ny, nz]; UNSEEN where no camera sees the voxel.
    labels: np.ndarray
    # float16 [N, D, h, w]; all zero in cells without a LiDAR return.
    depth: np.ndarray
    # float32 [n, BOX_COLUMNS]
    boxes: np.ndarray


class OccupancyDataset:
    """Reads samples by index. `cache` is a folder; a sample is decoded when first asked for and read from there later.

    The cache belongs to one state of `root`: remove it after regenerating the data set.

    @raises ValueError for damaged tables, no samples, scenes that aren't there or a grid that Occ3D's labels don't
    divide into; reading a sample raises ValueError or OSError that name the file at fault.
    """

    def __init__(self, root: Path, spec: SampleSpec, cache: Path | None = None, scenes: list[str] | None = None):
        if spec.has_labels:
            covered_blocks(spec)
        records = NuScenesTables(root).samples()
        if scenes is not None:
            missing = sorted({*scenes} - {record.scene for record in records})
            if missing:
                more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
                raise ValueError(f"{root}: no samples of the scenes {', '.join(missing[:3])}{more}")
            records = [record for record in records if record.scene in {*scenes}]
        if not records:
            raise ValueError(f"{root}: no samples")
        self.spec = spec
        self._records = records
        self._index_of_token = {record.token: index for index, record in enumerate(records)}
        self._cache = (root / "cache" if cache is None else cache) / spec.digest()
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(error.errno, f"{self._cache}: {error.strerror}; choose another folder by --cache") from error

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Sample:
        path = self._cached(index)
        if path.exists():
            return Sample(**_read_cached(path, tuple(Sample.__dataclass_fields__)))
        sample = prepare_sample(self._records[index], self.spec)
        _write_cached(path, sample)
        return sample

    def _cached(self, index: int) -> Path:
        return self._cache / f"{self._records[index].token}.npz"

    def tokens(self) -> set[str]:
        return {record.token for record in self._records}

    def token(self, index: int) -> str:
        return self._records[index].token

    def before(self, index: int) -> tuple[int, np.ndarray] | None:
        """The sample before in the scene and the motion since, [4, 4]: the ego frame now → the ego frame then, metres.

        None for a scene's first sample, and for one more than MAX_GAP after.
        """
        record = self._records[index]
        at = self._index_of_token.get(record.previous)
        if at is None or not 0 < record.timestamp - self._records[at].timestamp <= MAX_GAP:
            return None
        return at, invert(self._records[at].global_from_ego) @ record.global_from_ego

    def labels(self, index: int) -> np.ndarray:
        """Only the labels, without reading the images of a cached sample."""
        path = self._cached(index)
        return _read_cached(path, ("labels",))["labels"] if path.exists() else self[index].labels

    def with_warped_images(self, index: int, sample: Sample, new_from_old: np.ndarray) -> Sample:
        """Sample `index` with camera i's image warped by `new_from_old[i]` [3, 3], and its rays and depth likewise.

        Both are made anew from the calibration and the LiDAR's returns, not from the cached ones.
        """
        record, spec = self._records[index], self.spec
        points = apply(record.ego_from_lidar, load_points(record.lidar_path))
        images, rays, depth = np.zeros_like(sample.images), sample.rays.copy(), np.zeros_like(sample.depth)
        for i, name in enumerate(spec.camera_names):
            camera = record.cameras.get(name)
            if camera is None:
                continue
            rule = ResizeCrop.of(image_size(camera.path), (spec.width, spec.height))
            images[i] = warp_image(sample.images[i], new_from_old[i])
            pixel_from_camera = new_from_old[i] @ rule.matrix @ camera.intrinsics
            rays[i], depth[i] = _rays_and_depth(camera, pixel_from_camera, points, spec)
        parameters = with_pixels(sample.parameters, new_from_old)
        return replace(sample, images=images, rays=rays, depth=depth, parameters=parameters)


def _read_cached(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """@raises ValueError for a damaged file."""
    try:
        with np.load(path) as file:
            return {name: file[name] for name in names}
    except (OSError, KeyError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: a damaged sample in the cache; remove it ({error})") from error


def _write_cached(path: Path, sample: Sample) -> None:
    """Written beside and renamed: an interruption or a full disk leaves no half sample.

    The name beside is this process's own, since several may prepare the same sample. @raises OSError naming the file
    """
    partial = path.with_suffix(f".{os.getpid()}.partial.npz")
    try:
        np.savez(partial, **vars(sample))
        partial.replace(path)
    except OSError as error:
        what = f"{path} could not be written ({error.strerror}); free space, or choose another folder by --cache"
        raise OSError(error.errno, what) from error
    finally:
        partial.unlink(missing_ok=True)


def _rays_and_depth(
    camera: CameraRecord, pixel_from_camera: np.ndarray, points: np.ndarray, spec: SampleSpec
) -> tuple[np.ndarray, np.ndarray]:
    """Rays [h, w, 3] and depth targets [D, h, w] of one camera; `points` [n, 3] in the ego frame."""
    size = spec.width, spec.height
    rays = pixel_rays(pixel_from_camera, camera.ego_from_camera[:3, :3], size, spec.feature_shape, camera.lens)
    return rays, depth_targets(apply(invert(camera.ego_from_camera), points), pixel_from_camera, spec, camera.lens)


def prepare_sample(record: SampleRecord, spec: SampleSpec) -> Sample:
    cameras, (rows, columns) = len(spec.camera_names), spec.feature_shape
    images = np.zeros((cameras, 3, spec.height, spec.width), dtype=np.uint8)
    camera_mask = np.zeros(cameras, dtype=bool)
    rays = np.full((cameras, rows, columns, 3), np.nan, dtype=np.float32)
    origins = np.zeros((cameras, 3), dtype=np.float32)
    parameters = unknown_parameters(cameras)
    depth = np.zeros((cameras, len(spec.depths), rows, columns), dtype=np.float16)
    points = apply(record.ego_from_lidar, load_points(record.lidar_path))
    for i, name in enumerate(spec.camera_names):
        camera = record.cameras.get(name)
        if camera is None:
            continue
        images[i], resize_crop = load_image(camera.path, (spec.width, spec.height))
        camera_mask[i] = True
        origins[i] = camera.ego_from_camera[:3, 3]
        parameters[i] = camera_parameters(camera.intrinsics, resize_crop.matrix, camera.ego_from_camera)
        rays[i], depth[i] = _rays_and_depth(camera, resize_crop.matrix @ camera.intrinsics, points, spec)
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
        parameters=parameters,
        labels=load_labels(record.labels_path, spec) if spec.has_labels else np.full(spec.grid_shape, UNSEEN, np.uint8),
        depth=depth,
        boxes=np.array(boxes, dtype=np.float32).reshape(-1, BOX_COLUMNS),
    )
