from pathlib import Path

import numpy as np
import pytest
from tiny_dataset import write_tiny_dataset

from bdc_training.class_table import class_table, main
from bdc_training.sample_spec import UNSEEN


def test_counts_scenes_and_voxels() -> None:
    first, second = np.array([4, 17, 17, UNSEEN]), np.array([4, 11, 17, 17])
    rows = class_table([("a", first), ("a", second), ("b", np.array([17]))]).splitlines()
    assert "| car | 50 | 25.000 |" in rows
    assert "| driveable_surface | 50 | 12.500 |" in rows
    assert "| free | 100 | 62.500 |" in rows
    assert rows[-1] == "2 scenes; 62.5 % of the visible voxels are free."


def test_reads_a_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tiny_dataset(tmp_path)
    assert main([str(tmp_path)]) == 0
    assert "| car |" in capsys.readouterr().out


def test_a_folder_without_tables_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
