"""The commands answer what is wrong with their input by one line and exit code 2, and leave earlier files whole."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from tiny_config import write_tiny_config
from tiny_dataset import write_tiny_dataset

from bdc_training import calibrate, evaluate, export, quantize, train

FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "table missing": (lambda data: (data / "v1.0-tiny/scene.json").unlink(), "scene.json"),
    "table cut": (lambda data: (data / "v1.0-tiny/sample.json").write_text('[{"tok'), "sample.json: expected JSON"),
    "no samples": (lambda data: (data / "v1.0-tiny/sample.json").write_text("[]"), "no samples"),
    "image missing": (lambda data: (data / "samples/CAM_FRONT/0.png").unlink(), "CAM_FRONT/0.png"),
    "image cut": (
        lambda data: (data / "samples/CAM_FRONT/0.png").write_bytes(b"\x89PNG"),
        "CAM_FRONT/0.png: not an image that can be decoded",
    ),
    "labels missing": (lambda data: (data / "gts/scene-0001/sample-0/labels.npz").unlink(), "sample-0/labels.npz"),
    "labels of another shape": (
        lambda data: np.savez(
            data / "gts/scene-0001/sample-0/labels.npz",
            semantics=np.zeros((9, 9, 9), np.uint8),
            mask_camera=np.ones((9, 9, 9), np.uint8),
        ),
        "labels.npz: semantics: expected uint8 (200, 200, 16); found uint8 (9, 9, 9)",
    ),
    "lidar cut": (
        lambda data: (data / "samples/LIDAR_TOP/0.pcd.bin").write_bytes(b"123"),
        "0.pcd.bin: expected whole points",
    ),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny.yaml, a checkpoint of it in run/ and model.safetensors."""
    folder = tmp_path_factory.mktemp("run")
    write_tiny_config(folder / "tiny.yaml")
    write_tiny_dataset(folder / "data", samples=2)
    data = str(folder / "data")
    config = ["--config", str(folder / "tiny.yaml")]
    learned = ["--data", data, "--val", data, "--out", str(folder / "run"), "--steps", "1", "--threads", "1"]
    assert train.main([*config, *learned, "--device", "cpu"]) == 0
    checkpoint = ["--checkpoint", str(folder / "run/checkpoint.pt")]
    assert export.main([*config, *checkpoint, "--out", str(folder / "model.safetensors")]) == 0
    return folder


def commands(run: Path, data: Path, out: Path) -> list[tuple[Callable[[Sequence[str]], int], list[str]]]:
    trained = ["--config", str(run / "tiny.yaml"), "--checkpoint", str(run / "run/checkpoint.pt")]
    model = ["--model", str(run / "model.safetensors")]
    common = ["--data", str(data), "--threads", "1"]
    training = ["--config", str(run / "tiny.yaml"), "--val", str(run / "data"), "--out", str(out / "run")]
    return [
        (train.main, [*training, *common, "--steps", "2", "--device", "cpu"]),
        (evaluate.main, [*trained, *common]),
        (evaluate.main, [*model, *common]),
        (calibrate.main, [*trained, *common, "--out", str(out / "calibrated.pt")]),
        (quantize.main, [*model, *common, "--out", str(out / "int8.safetensors")]),
    ]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_data_set_is_answered_with_one_line(
    run: Path, tmp_path: Path, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    write_tiny_dataset(data, samples=2)
    spoil, message = FAULTS[fault]
    spoil(data)
    for main, arguments in commands(run, data, tmp_path):
        assert main(arguments) == 2, main.__module__
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1, error
    assert not (tmp_path / "calibrated.pt").exists() and not (tmp_path / "int8.safetensors").exists()


def test_a_checkpoint_of_another_network_is_answered_with_one_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "other.yaml"
    config.write_text((run / "tiny.yaml").read_text().replace("stem: 8", "stem: 16"))
    trained = ["--config", str(config), "--checkpoint", str(run / "run/checkpoint.pt")]
    data, out = ["--data", str(run / "data"), "--threads", "1"], ["--out", str(tmp_path / "out")]
    for main, more in ((evaluate.main, data), (calibrate.main, [*data, *out]), (export.main, out)):
        assert main([*trained, *more]) == 2
        error = capsys.readouterr().err
        assert "checkpoint.pt: of another network than the config's" in error and error.count("\n") == 1


def test_a_model_file_that_is_none_is_answered_with_one_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (run / "model.safetensors").read_bytes()
    for content in (b"", b"hello, this is no model", whole[:1000], whole[:-1000]):
        path = tmp_path / "model.safetensors"
        path.write_bytes(content)
        assert evaluate.main(["--model", str(path), "--data", str(run / "data")]) == 2
        assert "model.safetensors: expected a model file" in capsys.readouterr().err


def test_a_full_disk_leaves_the_earlier_checkpoint_and_model(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = ["--config", str(run / "tiny.yaml"), "--checkpoint", str(run / "run/checkpoint.pt")]
    for main, more, name in (
        (calibrate.main, ["--data", str(run / "data"), "--threads", "1"], "calibrated.pt"),
        (export.main, [], "model.safetensors"),
    ):
        path = tmp_path / name
        path.write_text("earlier")
        path.with_name(f"{name}.partial").symlink_to("/dev/full")
        assert main([*trained, *more, "--out", str(path)]) == 2
        assert f"{name} could not be written (No space left on device); the earlier one is intact" in (
            capsys.readouterr().err
        )
        assert path.read_text() == "earlier"


@pytest.mark.parametrize("value", ["0", "-3", "many"])
def test_counts_need_to_be_above_0(run: Path, tmp_path: Path, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    for main, arguments in commands(run, run / "data", tmp_path):
        option = "--steps" if main is train.main else "--samples"
        with pytest.raises(SystemExit) as ended:
            main([*arguments, option, value])
        assert ended.value.code == 2
        assert f"{option}: expected a whole number above 0; found '{value}'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        train.main([*commands(run, run / "data", tmp_path)[0][1][:-4], "--minutes", "nan"])
    assert "--minutes: expected a number above 0" in capsys.readouterr().err


@pytest.mark.parametrize("module", [evaluate, calibrate])
def test_ctrl_c_ends_with_130_and_writes_nothing(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "load_weights", interrupt)
    arguments = ["--config", str(run / "tiny.yaml"), "--checkpoint", "any", "--data", str(run / "data")]
    out = [] if module is evaluate else ["--out", str(tmp_path / "out.pt")]
    assert module.main([*arguments, *out]) == 130  # type: ignore[attr-defined]
    assert not (tmp_path / "out.pt").exists()
