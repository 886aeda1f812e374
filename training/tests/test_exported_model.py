"""A model file measured by bdc_training.evaluate: the network's own figures, beside voxels that an engine wrote."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_config import write_tiny_config
from tiny_dataset import write_tiny_dataset

from bdc_training.config import load_config
from bdc_training.evaluate import main, predictor
from bdc_training.export import export_network
from bdc_training.exported_model import ExportedModel
from bdc_training.network import build_network
from bdc_training.nuscenes_tables import NuScenesTables


def test_a_model_file_gives_the_networks_voxels_and_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tiny_dataset(tmp_path / "data", samples=2)
    write_tiny_config(tmp_path / "tiny.yaml")
    config = load_config(tmp_path / "tiny.yaml")
    torch.manual_seed(0)
    network = build_network(config).eval()
    path = tmp_path / "model.safetensors"
    export_network(network, config, path)
    model = ExportedModel(path)
    maker = model.batch_maker(tmp_path / "data", None)
    batch = maker.plain([0, 1])
    predicted, expected = (
        np.stack([prediction.labels for prediction in predict(batch)])
        for predict in (model.predict, predictor(network))
    )
    assert predicted.shape == (2, 100, 100, 8)
    assert (predicted == expected).mean() >= 0.999

    folder = tmp_path / "occupancy"
    folder.mkdir()
    for record, labels in zip(NuScenesTables(tmp_path / "data").samples(), predicted, strict=True):
        np.savez_compressed(folder / f"{record.token}.npz", labels.repeat(2, 0).repeat(2, 1).repeat(2, 2))
    arguments = ["--model", str(path), "--data", str(tmp_path / "data"), "--engine-occupancy", str(folder)]
    assert main([*arguments, "--threads", "1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["engine"] == {"samples": 2, "equal_voxels": 1.0, "miou_difference": 0.0}
    assert 0 <= report["scores"]["miou"] < 1 and report["scores"]["prior"]["miou"] > 0.9
    boxes = tmp_path / "results_nusc.json"
    rest = ["--threads", "1", "--samples", "1", "--no-ray-iou", "--write-boxes", str(boxes)]
    assert main([*arguments, *rest]) == 0
    assert list(json.loads(boxes.read_text())["results"]) == ["sample-0"]
    assert "1 samples: 100.0000 % of voxels equal" in capsys.readouterr().out


def test_either_a_model_file_or_a_checkpoint_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--data", "nowhere", "--config", "only.yaml"])
    assert "name either --model, or --config and --checkpoint" in capsys.readouterr().err
