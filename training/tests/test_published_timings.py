"""The command that times the published networks: which it knows, how it ends, what it writes."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from bdc_training import published_timings
from bdc_training.published_timings import CONFIGS, RUNS, Run, export_random, main, measure


def test_every_published_configuration_is_timed() -> None:
    published = {path.stem for path in CONFIGS.glob("*r50*.yaml")}
    assert len(published) >= 8 and {run.config for run in RUNS} == published
    assert {"ReActNet-T", "BBCU-T", "BiMatting-T", "BiSRNet-T"} < {run.title for run in RUNS}


@pytest.fixture()
def small(monkeypatch: pytest.MonkeyPatch) -> Run:
    overrides = ("image_encoder.width=4", "image_encoder.out_channels=16", "input.width=64", "input.height=64")
    run = Run("small", "bevdet-r50", (*overrides, "view_transformer.context_channels=4", "bev_encoder.out_channels=16"))
    monkeypatch.setattr(published_timings, "RUNS", (run,))
    return run


def test_exported_weights_look_trained(small: Run, tmp_path: Path) -> None:
    export_random(small, tmp_path / "model.safetensors")
    with safe_open(tmp_path / "model.safetensors", framework="numpy") as file:
        biases = file.get_tensor("image_encoder.backbone.stem.conv.bias")
    assert np.isfinite(biases).all() and biases.std() > 0.1


def command(folder: Path, text: str) -> Path:
    path = folder / "command.mjs"
    path.write_text(text)
    return path


def test_the_fastest_run_counts_and_its_table_comes_into_the_page(small, tmp_path, monkeypatch, capsys) -> None:
    totals = (900.0, 700.0, 800.0)
    latency = {
        "preprocess": 30,
        "modules": {"image_encoder": 400, "view_transformer": 5, "bev_encoder": 200, "heads": 50},
    }
    log = tmp_path / "count"
    report = {"isa": "avx2", "threads": 1, "latency_ms": latency | {"decode": 10}}
    script = f"""
import {{ existsSync, readFileSync, writeFileSync }} from 'node:fs';
const file = {json.dumps(str(log))};
const count = existsSync(file) ? Number(readFileSync(file)) : 0;
writeFileSync(file, String(count + 1));
const report = {json.dumps(report)};
report.latency_ms.total = {json.dumps(totals)}[count];
console.log(JSON.stringify(report));
"""
    monkeypatch.setattr(published_timings, "COMMAND", command(tmp_path, script))
    page = tmp_path / "page.md"
    assert main(["frame.json", "--page", str(page), "--repetitions", "3"]) == 0
    row = "| small | 400 | 5 | 200 | 50 | 40 | 700 |"
    assert row in page.read_text() and row in capsys.readouterr().out
    assert "Instruction set avx2, threads: 1." in page.read_text()


def test_a_command_that_fails_is_named(small: Run, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(published_timings, "COMMAND", command(tmp_path, "process.exit(3)"))
    with pytest.raises(ValueError, match="small: bdc-occ frame"):
        measure(small, Path("frame.json"), 1, 1)
    assert main(["frame.json"]) == 2
    assert "ended with status" in capsys.readouterr().err
