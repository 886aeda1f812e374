"""The cache of prepared samples: whole or not there."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_dataset import SPEC, write_tiny_dataset

from bdc_training.dataset import OccupancyDataset


@pytest.fixture()
def root(tmp_path: Path) -> Path:
    write_tiny_dataset(tmp_path / "data", samples=1)
    return tmp_path / "data"


def test_a_sample_of_the_cache_is_the_one_that_was_prepared(root: Path) -> None:
    dataset = OccupancyDataset(root, SPEC)
    prepared, cached = dataset[0], dataset[0]
    for name, array in vars(prepared).items():
        np.testing.assert_array_equal(getattr(cached, name), array, err_msg=name)
    np.testing.assert_array_equal(dataset.labels(0), prepared.labels)


@pytest.mark.parametrize("length", [0, 1000])
def test_a_cut_sample_of_the_cache_is_named(root: Path, length: int) -> None:
    dataset = OccupancyDataset(root, SPEC)
    dataset.labels(0)
    (path,) = (root / "cache").rglob("*.npz")
    path.write_bytes(path.read_bytes()[:length])
    for read in (dataset.__getitem__, dataset.labels):
        with pytest.raises(ValueError, match=rf"{path.name}: a damaged sample in the cache; remove it"):
            read(0)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_full_disk_or_an_interruption_leaves_no_half_sample(
    root: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    dataset = OccupancyDataset(root, SPEC)

    def cut_off(path: Path, **arrays: np.ndarray) -> None:
        path.write_bytes(b"PK")
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", cut_off)
        with pytest.raises(
            type(error), match=r"^$" if isinstance(error, KeyboardInterrupt) else r"sample-0\.npz .*--cache"
        ):
            dataset[0]
    assert not [path for path in (root / "cache").rglob("*") if path.is_file()]
    assert dataset[0].images.any()


def test_a_cache_folder_that_cannot_be_made_is_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file/.*; choose another folder by --cache"):
        OccupancyDataset(root, SPEC, tmp_path / "file")


def test_a_grid_that_the_labels_dont_divide_into_is_refused_at_once(root: Path) -> None:
    with pytest.raises(ValueError, match="don't divide into the model's grid"):
        OccupancyDataset(root, replace(SPEC, grid_shape=(60, 60, 4)))
