"""TensorBoard beside the CSV files, and a clear answer where it is missing."""

import sys
from pathlib import Path

import pytest

from bdc_training.run_log import RunLog

MEANS = (2.5, 1.0, 0.75, 0.5, 0.25, 0.125, 4.0)


def test_scalars_reach_tensorboard(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = RunLog(tmp_path, 0, ["stem"], tensorboard=True)
    log.train(20, 80, 1.0, 1e-3, MEANS)
    log.gradients(20, {"stem": 0.5})
    log.close()
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    (occupancy,) = events.Scalars("train/occupancy")
    assert (occupancy.step, occupancy.value) == (20, 1.0)
    assert events.Scalars("gradient/stem")[0].value == 0.5
    assert (tmp_path / "train.csv").read_text().split()[1] == "20,1,0.001,2.5,1,0.75,0.5,0.25,0.125,4"


def test_without_the_package_the_answer_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ValueError, match="--tensorboard needs the package tensorboard: pip install tensorboard"):
        RunLog(tmp_path, 0, [], tensorboard=True)
