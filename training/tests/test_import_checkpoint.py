"""Checkpoints under the published names: the imported network computes what its source does."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from published_reference import published_network

from bdc_training.align_previous import align_previous
from bdc_training.config import load_config
from bdc_training.golden_graphs import forward_camera
from bdc_training.heads import MAP_SIZES
from bdc_training.import_checkpoint import import_state, main
from bdc_training.model_file import load_model
from bdc_training.network import build_network
from bdc_training.previous import Previous
from bdc_training.run_graph import Rig, run_graph
from bdc_training.safe_unpickling import load_state_dict
from bdc_training.stereo import camera_motion, cost_volume
from bdc_training.view_transformer import lift_splat

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
SMALL = [
    "input={width: 96, height: 64, camera_names: [A, B]}",
    "image_encoder.width=4",
    "image_encoder.out_channels=16",
    "view_transformer.context_channels=4",
    "view_transformer.depth_bins=7",
    "bev_encoder.out_channels=16",
]
OCCUPANCY_GRID = "grid={min: [-8, -12, -1], max: [8, 12, 5.4], shape: [16, 24, 2]}"
DETECTION_GRID = "grid={min: [-8, -12, -5], max: [8, 12, 3], shape: [16, 24, 1]}"
CASES = {
    "bdc-t-r50-occupancy": ([*SMALL, OCCUPANCY_GRID], {"occupancy": 36}),
    "bdc-b-r50-occupancy": ([*SMALL, OCCUPANCY_GRID], {"occupancy": 36, "real_neck": True, "with_bn": True}),
    "bdc-t-r50-detection": ([*SMALL, DETECTION_GRID], {"boxes": MAP_SIZES}),
}


def trained_looking(module, seed=0):
    """Random values of the sizes that training leaves; no exact zeros."""
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor, mean, deviation):
        return torch.randn(tensor.shape, generator=generator) * deviation + mean

    for name, value in module.state_dict().items():
        if value.dtype != torch.float32:
            continue
        if name.endswith("running_var"):
            value.copy_(normal(value, 0, 0.4).abs() + 0.5)
        elif value.dim() == 4 and value.shape[0] > 1:
            value.copy_(normal(value, 0, 1.2 * value[0].numel() ** -0.5))
        elif name.endswith((".k", "beta")) or (name.endswith("weight") and value.dim() == 1):
            value.copy_(normal(value, 0.7, 0.3))
        else:
            value.copy_(normal(value, 0, 0.2))
        # torch.randn draws one in about 10^7; their signs differ (docs/paper.md).
        value[value == 0] = 1e-6
    return module.eval()


def source(name):
    return trained_looking(published_network(4, 16, 4, 7, **CASES[name][1]))


def config_of(name):
    return load_config(CONFIGS / f"{name}.yaml", CASES[name][0])


def scene():
    generator = torch.Generator().manual_seed(5)
    images = torch.randn(2, 3, 64, 96, generator=generator)
    return images, torch.randn(2, 4, 6, 3, generator=generator), torch.randn(2, 3, generator=generator)


def published_outputs(network, config):
    images, rays, origins = scene()
    with torch.no_grad():
        both = network.img_view_transformer.depth_net(network.img_neck(network.img_backbone(images)))
        bins = config.view_transformer.depth_bins
        depth, context = both[:, :bins].softmax(1), both[:, bins:]
        depths = config.view_transformer.depths
        bev = lift_splat(depth[None], context[None], rays[None], origins[None], None, depths, config.grid)
        bev = network.img_bev_encoder_neck(network.img_bev_encoder_backbone(bev))
        if hasattr(network, "occ_head"):
            return {"occupancy_logits": network.occ_head(bev)}
        return network.pts_bbox_head(bev)


def assert_parity(found, expected):
    for role, value in expected.items():
        error = (found[role] - value).abs().max() / value.abs().max()
        assert error <= 1e-3, f"{role}: {error}"


@pytest.mark.parametrize("name", CASES)
def test_the_imported_network_computes_what_its_source_does(name, tmp_path, capsys):
    published, config = source(name), config_of(name)
    checkpoint = {"meta": {"epoch": 24, "CLASSES": ["car"], "time": 1.5}, "state_dict": published.state_dict()}
    torch.save(checkpoint, tmp_path / "epoch_24.pth")
    out = tmp_path / "model.safetensors"
    overrides = [part for override in CASES[name][0] for part in ("--set", override)]
    arguments = [str(tmp_path / "epoch_24.pth"), "--config", str(CONFIGS / f"{name}.yaml"), *overrides]
    assert main([*arguments, "--out", str(out)]) == 0
    report = capsys.readouterr().out
    assert "img_bev_encoder_backbone: " in report and "zeros" not in report

    expected = published_outputs(published, config)
    network = build_network(config).eval()
    import_state(network, published.state_dict())
    images, rays, origins = scene()
    with torch.no_grad():
        assert_parity(network(images[None], rays[None], origins[None]), expected)
    manifest, tensors = load_model(out)
    values = run_graph(manifest, tensors, {"images": images}, Rig(rays, origins)).values
    assert_parity({role: values[tensor] for role, tensor in manifest["graph"]["outputs"].items()}, expected)


def stereo_case():
    parts = {"occupancy": 36, "with_bn": True, "neck_bn": True, "aspp": 6}
    overrides = [*SMALL, OCCUPANCY_GRID, "view_transformer.pyramid_channels=6"]
    config = load_config(CONFIGS / "bdc-t-r50-4d-stereo-occupancy.yaml", overrides)
    return trained_looking(published_network(4, 16, 4, 7, **parts)), config


def published_stereo_outputs(network, config, frames, parameters):
    """Of the last of three frames (images, motion since the frame before), oldest first; the features of the frame
    before that are only compared with."""
    _, rays, origins = scene()
    depths, kept, matched = config.view_transformer.depths, None, None
    for images, motion in frames:
        matching = network.img_backbone.first_stage(images)
        if matched is not None:
            moved = camera_motion(parameters[None], parameters[None], motion[None])[0]
            volume = cost_volume(matching, matched, parameters, parameters, moved, depths, 4, 5.0)
            both = network.img_view_transformer.depth_net(
                network.img_neck(network.img_backbone(images)), parameters, volume
            )
            depth, context = both[:, :7].softmax(1), both[:, 7:]
            bev = lift_splat(depth[None], context[None], rays[None], origins[None], None, depths, config.grid)
            bev = network.pre_process_net.layers(bev)
            before = torch.zeros_like(bev)
            if kept is not None:
                before = align_previous(kept, motion[None, :2][..., [0, 1, 3]], config.grid)
            kept = bev
        matched = matching
    return network.occ_head(network.img_bev_encoder_neck(network.img_bev_encoder_backbone(torch.cat([before, bev], 1))))


def test_an_imported_4d_stereo_network_computes_what_its_source_does():
    published, config = stereo_case()
    network = build_network(config).eval()
    with torch.no_grad():
        report = import_state(network, published.state_dict())
    assert report.faults() == [] and sorted(report.mapped.values()) == sorted(network.state_dict())
    _, rays, origins = scene()
    generator = torch.Generator().manual_seed(7)
    frames = []
    for i in range(3):
        motion = torch.eye(4, dtype=torch.float64)
        motion[0, 3], motion[1, 3] = 0.5 * i, -0.1
        frames.append((torch.randn(2, 3, 64, 96, generator=generator), motion))
    parameters = torch.from_numpy(np.stack([forward_camera(0.1), forward_camera(2.4)]))
    mask, previous = torch.ones(1, 2, dtype=torch.bool), None
    for i, (images, _) in enumerate(frames[:2]):
        fixed = images[None], rays[None], origins[None], mask, parameters[None]
        previous = Previous(*fixed, frames[i + 1][1][None], torch.tensor([True]), previous)
    with torch.no_grad():
        expected = published_stereo_outputs(published, config, frames, parameters)
        found = network(frames[2][0][None], rays[None], origins[None], mask, parameters[None], previous)
    assert_parity({"occupancy_logits": found["occupancy_logits"]}, {"occupancy_logits": expected})


def test_a_network_of_full_width_computes_what_its_source_does():
    """Every layer as wide as published, on small images and a small grid."""
    sizes = [SMALL[0], OCCUPANCY_GRID.replace("2]}", "16]}")]
    config = load_config(CONFIGS / "bdc-t-r50-occupancy.yaml", sizes)
    published = trained_looking(published_network(64, 256, 64, 88, occupancy=288), seed=11)
    network = build_network(config).eval()
    with torch.no_grad():
        assert import_state(network, published.state_dict()).faults() == []
    images, rays, origins = scene()
    expected = published_outputs(published, config)
    with torch.no_grad():
        assert_parity(network(images[None], rays[None], origins[None]), expected)


def test_every_tensor_of_the_source_is_mapped_once():
    state = source("bdc-t-r50-occupancy").state_dict()
    network = build_network(config_of("bdc-t-r50-occupancy"))
    report = import_state(network, state)
    assert report.mapped.keys() == state.keys()
    assert sorted(report.mapped.values()) == sorted(network.state_dict())


def test_names_behind_a_data_parallel_wrapper_are_read():
    state = source("bdc-t-r50-occupancy").state_dict()
    wrapped = {f"module.{name}": value for name, value in state.items()}
    assert import_state(build_network(config_of("bdc-t-r50-occupancy")), wrapped).faults() == []


@pytest.mark.parametrize("wrapper", ["state_dict", "ema_state_dict"])
def test_weights_are_found_wherever_the_checkpoint_keeps_them(wrapper, tmp_path):
    state = source("bdc-t-r50-occupancy").state_dict()
    averaged = {f"module.{name}": value for name, value in state.items()} | {"steps": torch.tensor(3)}
    meta = {"best_score": np.float64(0.37), "hook_msgs": {"epoch": np.int64(3)}}
    torch.save({"meta": meta, wrapper: averaged, "optimizer": {"state": {0: {"step": 5}}}}, tmp_path / "c.pth")
    report = import_state(build_network(config_of("bdc-t-r50-occupancy")), load_state_dict(tmp_path / "c.pth"))
    assert report.mapped.keys() == state.keys() and report.faults() == ["unexpected: steps"]


def test_all_that_does_not_fit_is_named(tmp_path, capsys):
    state = source("bdc-t-r50-occupancy").state_dict()
    del state["occ_head.predicter.0.bias"]
    state["img_neck.fpn_convs.0.move0.k"] = torch.zeros(1, 17, 1, 1)
    state["pts_bbox_head.extra"] = torch.zeros(3)
    torch.save(state, tmp_path / "other.pth")
    overrides = [part for override in CASES["bdc-t-r50-occupancy"][0] for part in ("--set", override)]
    arguments = [str(tmp_path / "other.pth"), "--config", str(CONFIGS / "bdc-t-r50-occupancy.yaml"), *overrides]
    assert main([*arguments, "--out", str(tmp_path / "m.safetensors")]) == 2
    message = capsys.readouterr().err
    assert "missing: occ_head.predicter.0.bias" in message
    assert "mis-shaped: img_neck.fpn_convs.0.move0.k: found [1, 17, 1, 1], expected [16]" in message
    assert "unexpected: pts_bbox_head.extra" in message
    assert not (tmp_path / "m.safetensors").exists()


def test_more_than_is_needed_can_be_allowed():
    state = {**source("bdc-t-r50-occupancy").state_dict(), "loss.weight": torch.zeros(1)}
    report = import_state(build_network(config_of("bdc-t-r50-occupancy")), state)
    assert report.faults() == ["unexpected: loss.weight"] and report.faults(ignore_unexpected=True) == []


def test_zeros_where_signs_differ_are_reported():
    state = source("bdc-t-r50-occupancy").state_dict()
    state["occ_head.final_conv.move0.b"][0, 3] = 0
    report = import_state(build_network(config_of("bdc-t-r50-occupancy")), state)
    assert report.zeros == ["occ_head.final_conv.move0.b (1 of 16)"]


@pytest.mark.parametrize("override", ["unit.version=V1", "unit.version=BBCU", "unit.pointwise_input=sign"])
def test_networks_that_the_published_code_has_not_are_refused(override):
    config = load_config(CONFIGS / "bdc-t-r50-occupancy.yaml", [*CASES["bdc-t-r50-occupancy"][0], override])
    with pytest.raises(ValueError, match="choose unit"):
        import_state(build_network(config), {})


class Attack:
    def __reduce__(self):
        return (print, ("run by the file",))


@pytest.mark.parametrize("content", [{"state_dict": {"a": torch.ones(2)}, "meta": Attack()}, [Attack()]])
def test_a_checkpoint_that_would_run_code_is_not_read(content, tmp_path, capsys):
    torch.save(content, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match=r"evil\.pth: not a checkpoint that can be read safely \(.*print"):
        load_state_dict(tmp_path / "evil.pth")
    (tmp_path / "raw.pth").write_bytes(pickle.dumps(Attack()))
    with pytest.raises(ValueError, match=r"raw\.pth: no checkpoint"):
        load_state_dict(tmp_path / "raw.pth")
    assert "run by" not in capsys.readouterr().out


def test_tensors_are_read_as_they_were_saved(tmp_path):
    whole = torch.arange(24.0).reshape(4, 6)
    state = {
        "transposed": whole.T,
        "part": whole[1:, 2:4],
        "shared": whole,
        "integers": torch.tensor([3, -4]),
        "half": torch.tensor(0.5, dtype=torch.float16),
        "empty": torch.empty(0, 3),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    torch.save({"state_dict": state, "meta": {"epoch": 7, "lr": [1e-4]}}, tmp_path / "c.pth")
    found = load_state_dict(tmp_path / "c.pth")
    assert found.keys() == state.keys()
    for name, value in state.items():
        assert found[name].dtype == value.dtype and torch.equal(found[name], value), name


def test_what_is_no_checkpoint_is_named(tmp_path):
    (tmp_path / "noise.pth").write_bytes(b"no pickle at all")
    with pytest.raises(ValueError, match="noise"):
        load_state_dict(tmp_path / "noise.pth")
    torch.save({"epoch": 3}, tmp_path / "numbers.pth")
    with pytest.raises(ValueError, match="expected tensors by name"):
        load_state_dict(tmp_path / "numbers.pth")
    with pytest.raises(FileNotFoundError):
        load_state_dict(tmp_path / "absent.pth")
