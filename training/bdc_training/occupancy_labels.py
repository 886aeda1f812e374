"""Occ3D labels on the model's grid, and statistics over them. Arrays are [x][y][z], uint8."""

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .classes import FREE, OCCUPANCY_CLASSES
from .sample_spec import UNSEEN, SampleSpec

# Range of Occ3D-nuScenes' labels in metres.
OCC3D_MIN = (-40.0, -40.0, -1.0)
OCC3D_MAX = (40.0, 40.0, 5.4)
OCC3D_SHAPE = (200, 200, 16)


def down_sample(semantics: np.ndarray, visible: np.ndarray, factor: int) -> np.ndarray:
    """Labels of blocks of factor³ voxels; a block without a visible voxel is UNSEEN.

    Of a block's visible voxels, if any is occupied the most frequent occupied class wins (the lowest on a tie), else it
    is free: thin things survive on the coarse grid, and nothing that no camera saw is learned or counted.
    """
    if factor == 1:
        return np.where(visible != 0, semantics, UNSEEN).astype(np.uint8)
    nx, ny, nz = (n // factor for n in semantics.shape)

    def blocks(array: np.ndarray) -> np.ndarray:
        split = array.reshape(nx, factor, ny, factor, nz, factor).transpose(1, 3, 5, 0, 2, 4)
        return split.reshape(factor**3, nx, ny, nz)

    seen = np.where(visible != 0, semantics, UNSEEN).astype(np.uint8)
    members = np.ascontiguousarray(blocks(seen))
    result = np.where((members != UNSEEN).any(0), FREE, UNSEEN).astype(np.uint8)
    most = np.zeros(result.shape, dtype=np.uint8)
    for label in np.unique(members[members < FREE]):
        count = (members == label).sum(0, dtype=np.uint8)
        better = count > most
        result[better] = label
        most[better] = count[better]
    return result


def load_occ3d(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """`semantics` and `mask_camera` of an Occ3D labels.npz, uint8 [200, 200, 16].

    @raises FileNotFoundError, or ValueError for a damaged file, other arrays or classes that Occ3D hasn't.
    """
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in ("semantics", "mask_camera")}
    except FileNotFoundError:
        raise
    except (OSError, KeyError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{path}: expected an .npz with semantics and mask_camera; the file is damaged or another one ({error})"
        ) from error
    for name, array in arrays.items():
        if array.shape != OCC3D_SHAPE or array.dtype not in (np.uint8, np.bool_):
            raise ValueError(f"{path}: {name}: expected uint8 {OCC3D_SHAPE}; found {array.dtype} {array.shape}")
    semantics = arrays["semantics"]
    if semantics.max() > FREE:
        raise ValueError(f"{path}: classes go from 0 to {FREE}; found {semantics.max()}")
    return semantics, arrays["mask_camera"]


def load_visible_labels(path: Path) -> np.ndarray:
    """labels.npz of Occ3D as it is; UNSEEN outside `mask_camera`. @raises as `load_occ3d`"""
    return down_sample(*load_occ3d(path), 1)


def covered_blocks(spec: SampleSpec) -> tuple[int, tuple[slice, slice, slice]]:
    """Occ3D's voxels along a side of one of the model's, and which of Occ3D's voxels the model's grid covers.

    @raises ValueError if the model's grid isn't made of whole multiples of Occ3D's voxels within its range.
    """
    low, high, shape = (np.array(a, dtype=float) for a in (OCC3D_MIN, OCC3D_MAX, OCC3D_SHAPE))
    first, last = ((np.array(edge) - low) / (high - low) * shape for edge in (spec.grid_min, spec.grid_max))
    factors = (last - first) / spec.grid_shape
    starts, factor = np.rint(first).astype(int), int(np.rint(factors[0]))
    ends = starts + factor * np.array(spec.grid_shape)
    is_whole = np.allclose(first, starts, atol=1e-3) and np.allclose(factors, factor, atol=1e-3) and factor >= 1
    if not is_whole or (starts < 0).any() or (ends > shape).any():
        raise ValueError(
            f"Occ3D's labels {OCC3D_SHAPE} over {OCC3D_MIN}…{OCC3D_MAX} m don't divide into the model's grid "
            f"{spec.grid_shape} over {spec.grid_min}…{spec.grid_max} m"
        )
    x, y, z = (slice(int(start), int(end)) for start, end in zip(starts, ends, strict=True))
    return factor, (x, y, z)


def block_size(spec: SampleSpec) -> int:
    """Occ3D's voxels along a side of one of the model's, whose grid covers all of Occ3D's.

    @raises ValueError if it covers less, and as `covered_blocks`
    """
    factor, covered = covered_blocks(spec)
    if any(part.stop - part.start < whole for part, whole in zip(covered, OCC3D_SHAPE, strict=True)):
        raise ValueError(
            f"figures on Occ3D's range need a grid over {OCC3D_MIN}…{OCC3D_MAX} m; the model's covers "
            f"{spec.grid_min}…{spec.grid_max} m"
        )
    return factor


def load_labels(path: Path, spec: SampleSpec) -> np.ndarray:
    """labels.npz of Occ3D on the model's grid, [nx, ny, nz]; UNSEEN outside `mask_camera`.

    @raises as `load_occ3d` and `covered_blocks`
    """
    factor, covered = covered_blocks(spec)
    semantics, visible = load_occ3d(path)
    return down_sample(semantics[covered], visible[covered], factor)


def class_frequencies(labels: Iterable[np.ndarray]) -> np.ndarray:
    """Share of each class among the visible voxels, [18] float64."""
    counts = np.zeros(UNSEEN + 1, dtype=np.int64)
    for array in labels:
        counts += np.bincount(array.ravel(), minlength=UNSEEN + 1)
    counts = counts[: len(OCCUPANCY_CLASSES)]
    return counts / max(1, counts.sum())


def class_weights(frequencies: np.ndarray, exponent: float, limit: float) -> np.ndarray:
    """(f_free / f_class)^exponent, at most `limit`; float32 [18]. A class that never occurs gets the limit."""
    with np.errstate(divide="ignore"):
        ratio = frequencies[FREE] / frequencies
    return np.minimum(ratio**exponent, limit).astype(np.float32)
