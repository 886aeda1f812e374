"""A log survives resuming, an interrupted write and a full disk."""

from pathlib import Path

import pytest

from bdc_training.csv_log import CsvLog

COLUMNS = ("step", "loss")


def test_resuming_keeps_rows_up_to_its_step(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = CsvLog(path, COLUMNS, 0)
    for step in (10, 20, 30):
        log.add(step, step / 7)
    CsvLog(path, COLUMNS, 20).add(21, 0.5)
    assert path.read_text().split() == ["step,loss", "10,1.42857", "20,2.85714", "21,0.5"]


def test_a_row_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    CsvLog(path, COLUMNS, 0).add(10, 0.123456)
    with path.open("a") as file:
        file.write("20,0.4")
    CsvLog(path, COLUMNS, 30)
    assert path.read_text().split() == ["step,loss", "10,0.123456"]


def test_rows_of_other_columns_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    CsvLog(path, ("step", "mean_iou"), 0).add(10, 0.1)
    CsvLog(path, COLUMNS, 30)
    assert path.read_text().split() == ["step,loss"]


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = CsvLog(path, COLUMNS, 0)
    path.unlink()
    path.symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"log\.csv could not be written \(No space left on device\)"):
        log.add(10, 1.0)
