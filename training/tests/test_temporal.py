"""A network's memory: the frame before from the data set, in the network, in the exported graph, over sequences."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_config import write_tiny_config
from tiny_dataset import SPEC, edit_table, write_tiny_dataset

from bdc_training.augmentation import AugmentationConfig
from bdc_training.batches import BatchMaker
from bdc_training.config import load_config
from bdc_training.dataset import OccupancyDataset
from bdc_training.evaluate import main as evaluate_main
from bdc_training.evaluate import predictor
from bdc_training.export import export_network
from bdc_training.exported_model import ExportedModel
from bdc_training.golden_networks import randomise
from bdc_training.network import build_network
from bdc_training.train import main as train_main
from bdc_training.training_data import batch_maker

NOTHING = AugmentationConfig(flip_x=0, flip_y=0, brightness=0, contrast=0, color=0)
TEMPORAL = {
    "temporal": {"previous_bev": True, "pre_process": "units"},
    "bev_encoder": {"channels": [64, 128], "out_channels": 32},
}
STEREO = {
    "image_encoder": {"kind": "resnet50", "width": 4, "out_channels": 16},
    "view_transformer": {
        "kind": "stereo",
        "first_depth": 1.0,
        "last_depth": 30.0,
        "depth_bins": 12,
        "context_channels": 8,
        "pyramid_channels": 6,
    },
    "grid": {"min": [-40.0, -40.0, -1.0], "max": [40.0, 40.0, 5.4], "shape": [200, 200, 16]},
    "bev_encoder": {"kind": "bdc", "out_channels": 16},
    "heads": {"occupancy": "bdc", "detection": "none"},
    "temporal": {"previous_bev": True, "pre_process": "units"},
}


@pytest.fixture()
def root(tmp_path: Path) -> Path:
    write_tiny_dataset(tmp_path / "data", samples=4)
    return tmp_path / "data"


def tiny(folder: Path, changes: dict[str, object]):
    write_tiny_config(folder / "tiny.yaml", **changes)
    return load_config(folder / "tiny.yaml")


def trained_looking(config, seed: int = 0):
    torch.manual_seed(seed)
    network = build_network(config)
    randomise(network, np.random.default_rng(seed))
    return network.eval()


def test_the_frame_before_follows_prev_and_its_motion_the_poses(root: Path) -> None:
    dataset = OccupancyDataset(root, SPEC)
    assert dataset.before(0) is None
    at, motion = dataset.before(2)
    assert at == 1
    # 5 m/s for half a second, straight ahead.
    np.testing.assert_allclose(motion, [[1, 0, 0, 2.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], atol=1e-9)


def test_a_frame_long_ago_or_of_no_time_at_all_is_none_before(root: Path) -> None:
    late = {"sample-1": 2_000_001, "sample-2": 4_000_001, "sample-3": 4_000_001}
    edit_table(root, "sample", lambda row: row | {"timestamp": late.get(row["token"], 0)})
    dataset = OccupancyDataset(root, SPEC)
    assert [dataset.before(i) is None for i in range(4)] == [True, True, False, True]


def test_frames_before_are_augmented_as_their_sample(root: Path) -> None:
    maker = BatchMaker(OccupancyDataset(root, SPEC), (0.0,) * 3, (1.0,) * 3, (50, 50), frames_before=2)
    changes = replace(NOTHING, flip_y=1.0, rotation=20.0, brightness=0.2)
    batch, again, plain = (
        *(maker.training(0, 4, 3, changes) for _ in range(2)),
        maker.training(0, 4, 3, NOTHING),
    )
    chain = [(batch, again, plain)]
    for _ in range(2):
        chain.append(tuple(frame.previous for frame in chain[-1]))
    assert chain[2][0].previous is None
    for changed, repeated, before in chain:
        assert torch.equal(changed.images, repeated.images)
        # A voxel's place in the changed world is that of the plain one through the same matrix in all frames.
        world = changed.parameters[:, 0, 10:14].unflatten(1, (2, 2))
        origins = torch.einsum("bij,bnj->bni", world, before.origins[..., :2])
        assert torch.allclose(changed.origins[..., :2], origins, atol=1e-5)
        assert torch.equal(world, batch.parameters[:, 0, 10:14].unflatten(1, (2, 2)))
    previous, plain_previous = chain[1][0], chain[1][2]
    world = batch.parameters[:, 0, 10:14].unflatten(1, (2, 2)).double()
    point = torch.tensor([3.0, -2.0], dtype=torch.float64)
    moved = plain_previous.planar_motion @ torch.cat([point, torch.ones(1)])
    expected = torch.einsum("bij,bj->bi", world, moved)
    now = torch.cat([torch.einsum("bij,j->bi", world, point), torch.ones(4, 1)], 1)
    found = torch.einsum("bij,bj->bi", previous.planar_motion, now)
    assert torch.allclose(found, expected, atol=1e-6)


def test_parameters_say_what_rays_say_after_every_change(root: Path) -> None:
    dataset = OccupancyDataset(root, SPEC)
    changes = replace(NOTHING, flip_x=1.0, flip_y=1.0, rotation=10.0, scale=0.1, image_zoom=0.2, image_rotation=5.0)
    for augmentation in (NOTHING, changes):
        batch = BatchMaker(dataset, (0.0,) * 3, (1.0,) * 3, (50, 50)).training(0, 2, 0, augmentation)
        fx, fy, cx, cy = batch.parameters[..., :4].double().unbind(-1)
        image = batch.parameters[..., 4:10].double().unflatten(-1, (2, 3))
        mount = batch.parameters[..., 15:].double().unflatten(-1, (3, 4))
        b00, b01, b10, b11, b22 = batch.parameters[..., 10:15].double().unbind(-1)
        zero = torch.zeros_like(b00)
        world = torch.stack([b00, b01, zero, b10, b11, zero, zero, zero, b22], -1).unflatten(-1, (3, 3))
        rows, columns = SPEC.feature_shape
        u = torch.linspace(0, SPEC.width - 1, columns, dtype=torch.float64).expand(rows, columns)
        v = torch.linspace(0, SPEC.height - 1, rows, dtype=torch.float64).unsqueeze(1).expand(rows, columns)
        pixels = torch.stack([u, v], -1) - image[..., 2][:, :, None, None]
        at = torch.einsum("bnij,bnhwj->bnhwi", torch.linalg.inv(image[..., :2]), pixels)
        scale = (fx, fy, cx, cy)
        fx, fy, cx, cy = (value[:, :, None, None] for value in scale)
        rays = torch.stack([(at[..., 0] - cx) / fx, (at[..., 1] - cy) / fy, torch.ones_like(at[..., 0])], -1)
        rays = torch.einsum("bnij,bnhwj->bnhwi", world @ mount[..., :3], rays)
        assert torch.allclose(rays, batch.rays.double(), atol=1e-4)
        origins = torch.einsum("bnij,bnj->bni", world, mount[..., 3])
        assert torch.allclose(origins, batch.origins.double(), atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "samples"), [(TEMPORAL, [0, 1, 2, 3]), (STEREO, [0, 3])], ids=["temporal", "stereo"]
)
def test_the_graph_computes_what_the_module_does_over_a_sequence(root: Path, tmp_path: Path, changes, samples) -> None:
    config = tiny(tmp_path, changes)
    network = trained_looking(config)
    export_network(network, config, tmp_path / "model.safetensors")
    model = ExportedModel(tmp_path / "model.safetensors")
    batch = model.batch_maker(root, None).plain(samples)
    assert batch.previous.exists.tolist() == [False] + [True] * (len(samples) - 1)
    with torch.no_grad():
        expected = network(*batch.inputs)["occupancy_logits"]
        without = network(batch.images, batch.rays, batch.origins, batch.camera_mask, batch.parameters)
    name = model.manifest["graph"]["outputs"]["occupancy_logits"]
    found = torch.cat([run.values[name] for run in model.runs(batch)])
    assert torch.allclose(found, expected, rtol=0, atol=1e-3 * float(expected.abs().max()))
    # The first frame has no memory; the later ones use it.
    assert torch.allclose(expected[0], without["occupancy_logits"][0], atol=1e-4)
    difference = (expected[1:] - without["occupancy_logits"][1:]).abs().amax((1, 2, 3))
    assert (difference > 1e-2 * float(expected.abs().max())).all()


def test_a_run_with_a_memory_trains_evaluates_and_exports(root: Path, tmp_path: Path, capsys) -> None:
    config = tiny(tmp_path, TEMPORAL)
    out = tmp_path / "out"
    arguments = ["--config", str(tmp_path / "tiny.yaml"), "--data", str(root), "--val", str(root), "--out", str(out)]
    assert train_main([*arguments, "--steps", "4", "--threads", "1"]) == 0
    network = build_network(config)
    network.load_state_dict(torch.load(out / "checkpoint.pt")["network"])
    network.eval()
    model_path = tmp_path / "model.safetensors"
    export_network(network, config, model_path)
    batch = batch_maker(config, root).plain([0, 1, 2, 3])
    graph, module = (
        np.stack([prediction.labels for prediction in predict(batch)])
        for predict in (ExportedModel(model_path).predict, predictor(network))
    )
    assert (graph == module).mean() >= 0.999
    capsys.readouterr()
    assert evaluate_main(["--model", str(model_path), "--data", str(root), "--threads", "1"]) == 0
    assert "camera-visible, network: mIoU" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temporal": {"pre_process": "units"}}, r"temporal\.pre_process: expected none without previous_bev"),
        ({"temporal": {"frames": 2}}, r"temporal\.frames: no such key"),
        ({"view_transformer": STEREO["view_transformer"]}, r"stereo compares features of a resnet50; found edge"),
        (
            STEREO | {"view_transformer": STEREO["view_transformer"] | {"last_depth": 0.5}},
            r"view_transformer\.first_depth, last_depth",
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, changes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny(tmp_path, changes)
