"""Samples of the same world mirrored, turned or scaled: rays, origins, voxels and boxes move together."""

from dataclasses import replace

import numpy as np

from .calibration import with_pixels, with_world
from .dataset import Sample
from .detection_targets import HEIGHT, LENGTH, VX, VY, WIDTH, YAW, X, Y, Z
from .sample_spec import UNSEEN, SampleSpec


def flip(sample: Sample, axis: int) -> Sample:
    """The world mirrored along ego x (axis 0) or y (axis 1): each camera's image is mirrored, and its rays with it.

    A feature cell's ray goes through pixel linspace(0, W − 1, w)[j], symmetric about the image's middle, so the
    mirrored image's ray j is the mirrored ray w − 1 − j, exactly. Occ3D's range is symmetric about 0 in both axes, so
    are the voxels.
    """
    mirror = np.ones(3, dtype=np.float32)
    mirror[axis] = -1
    last = sample.images.shape[-1] - 1
    parameters = with_pixels(sample.parameters, np.array([[-1, 0, last], [0, 1, 0], [0, 0, 1]]))
    boxes = sample.boxes.copy()
    boxes[:, [X + axis, VX + axis]] *= -1
    # A heading (cos, sin) becomes (−cos, sin) along x, (cos, −sin) along y.
    boxes[:, YAW] = np.pi - boxes[:, YAW] if axis == 0 else -boxes[:, YAW]
    return replace(
        sample,
        images=np.ascontiguousarray(sample.images[..., ::-1]),
        rays=np.ascontiguousarray(sample.rays[:, :, ::-1]) * mirror,
        origins=sample.origins * mirror,
        parameters=with_world(parameters, np.diag(mirror)),
        labels=np.ascontiguousarray(np.flip(sample.labels, axis)),
        depth=np.ascontiguousarray(sample.depth[..., ::-1]),
        boxes=boxes,
    )


def turn_and_scale(sample: Sample, angle: float, scale: float, spec: SampleSpec) -> Sample:
    """The world turned about ego z by `angle` (radians) and scaled about the ego frame's origin; images stay.

    Depth bins stay depths of the unscaled world: a point o + d·r becomes M·o + d·M·r, so the rays carry the scale.
    Voxels take the label of the voxel that their centre comes from; what comes from off the grid is UNSEEN.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = scale * np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    boxes = sample.boxes.copy()
    boxes[:, [X, Y, Z]] = boxes[:, [X, Y, Z]] @ matrix.T
    boxes[:, [VX, VY]] = boxes[:, [VX, VY]] @ matrix[:2, :2].T
    boxes[:, [LENGTH, WIDTH, HEIGHT]] *= scale
    boxes[:, YAW] += angle
    return replace(
        sample,
        rays=(sample.rays @ matrix.T).astype(np.float32),
        origins=(sample.origins @ matrix.T).astype(np.float32),
        parameters=with_world(sample.parameters, matrix),
        labels=_resample(sample.labels, np.linalg.inv(matrix), spec),
        boxes=boxes,
    )


def _resample(labels: np.ndarray, old_from_new: np.ndarray, spec: SampleSpec) -> np.ndarray:
    low, high, shape = np.array(spec.grid_min), np.array(spec.grid_max), np.array(spec.grid_shape)
    size = (high - low) / shape
    centers = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in shape), indexing="ij"), axis=-1) * size + low
    source = np.floor((centers @ old_from_new.T - low) / size).astype(np.int64)
    inside = ((source >= 0) & (source < shape)).all(-1)
    x, y, z = np.where(inside[..., None], source, 0).transpose(3, 0, 1, 2)
    return np.where(inside, labels[x, y, z], UNSEEN).astype(np.uint8)
