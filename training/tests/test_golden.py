"""The committed golden fixtures: still what their generator writes, and still what the graph interpreter computes."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from bdc_training.golden import main
from bdc_training.golden_networks import outputs_of
from bdc_training.model_file import load_model
from bdc_training.run_graph import History, Rig, normalised, run_graph

FIXTURES = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "golden"
NAMES = sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir())
EXACT = {"exact", "labels", "occupancy_labels"}


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    assert main([str(folder)]) == 0
    return folder


def close(found, expected):
    """Within 1e-5 of the largest value; NaN where NaN is expected."""
    limit = 1e-5 * max(1e-3, np.nanmax(np.abs(expected)))
    return np.allclose(found, expected, rtol=0, atol=limit, equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_generator_still_writes_this_fixture(regenerated, name):
    """Bits and inputs exactly; real tensors and outputs within rounding, where PyTorch's releases differ."""
    (manifest, tensors), (new_manifest, new_tensors) = (
        load_model(folder / name / "model.safetensors") for folder in (FIXTURES, regenerated)
    )
    assert new_manifest == manifest
    assert new_tensors.keys() == tensors.keys()
    for key, value in tensors.items():
        if value.dtype == np.float32:
            # Scales and folded norms come out of PyTorch's arithmetic.
            assert np.allclose(new_tensors[key], value, rtol=1e-5, atol=1e-6), key
        else:
            assert np.array_equal(new_tensors[key], value), key
    values, new_values = (load_file(folder / name / "io.safetensors") for folder in (FIXTURES, regenerated))
    assert new_values.keys() == values.keys()
    for key, value in values.items():
        role = key.partition("output.")[2]
        if role and role not in EXACT:
            assert close(new_values[key], value), key
        else:
            assert np.array_equal(new_values[key], value, equal_nan=value.dtype.kind == "f"), key


def test_no_fixture_was_forgotten_or_left_over(regenerated):
    assert sorted(folder.name for folder in regenerated.iterdir()) == NAMES


def rig_of(values, live=slice(None)):
    if "rays" not in values:
        return None
    parameters = values["parameters"][live] if "parameters" in values else None
    return Rig(values["rays"][live], values["origins"][live], parameters)


SEQUENCES = [name for name in NAMES if name.startswith("sequence-") or name == "network-temporal"]


@pytest.mark.parametrize("name", SEQUENCES)
def test_the_interpreter_computes_each_frame_of_this_sequence(name):
    manifest, tensors = load_model(FIXTURES / name / "model.safetensors")
    values = {key: torch.from_numpy(value) for key, value in load_file(FIXTURES / name / "io.safetensors").items()}
    rig = rig_of(values)
    frames = sorted({int(key[5 : key.index(".")]) for key in values if key.startswith("frame")})
    assert len(frames) >= 3
    kept = {}
    for frame in frames:
        inputs = {entry["name"]: values[f"frame{frame}.input.{entry['name']}"] for entry in manifest["graph"]["inputs"]}
        if "images" in inputs:
            inputs["images"] = normalised(inputs["images"].numpy(), manifest)
        motion = values.get(f"frame{frame}.motion")
        run = run_graph(manifest, tensors, inputs, rig, None if motion is None else History(kept, motion.double(), rig))
        kept = run.kept
        for role, value in outputs_of(manifest, run.values).items():
            assert close(value.numpy(), values[f"frame{frame}.output.{role}"].numpy()), (frame, role)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SEQUENCES])
def test_the_interpreter_computes_the_outputs_of_this_fixture(name):
    manifest, tensors = load_model(FIXTURES / name / "model.safetensors")
    values = {key: torch.from_numpy(value) for key, value in load_file(FIXTURES / name / "io.safetensors").items()}
    live = values["input.camera_mask"].bool() if "input.camera_mask" in values else slice(None)
    rig = rig_of(values, live)
    inputs = {}
    for graph_input in manifest["graph"]["inputs"]:
        value = values[f"input.{graph_input['name']}"]
        inputs[graph_input["name"]] = (
            normalised(value[live].numpy(), manifest) if "images" in graph_input["name"] else value
        )
    found = outputs_of(manifest, run_graph(manifest, tensors, inputs, rig).values)
    assert {f"output.{role}" for role in found} == {key for key in values if key.startswith("output.")}
    for role, value in found.items():
        expected = values[f"output.{role}"].numpy()
        if role in EXACT:
            assert np.array_equal(value.numpy(), expected), role
        else:
            assert close(value.numpy(), expected), role


def documented_operations():
    """First column of the table in docs/model-format.md."""
    table = FIXTURES.parents[2].joinpath("docs", "model-format.md").read_text().split("## Operations")[1]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_every_operation_has_a_fixture_of_its_own():
    covered = set()
    for name in NAMES:
        if name.startswith("op-"):
            manifest, _ = load_model(FIXTURES / name / "model.safetensors")
            covered |= {operation["op"] for operation in manifest["graph"]["operations"]}
    assert len(covered) >= 20
    assert covered == documented_operations()
