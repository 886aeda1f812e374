from pathlib import Path

import pytest
import yaml

from bdc_training.config import Config, changed_keys, load_config

EDGE = Path(__file__).resolve().parents[1] / "configs" / "edge.yaml"


def edge_with(path, *keys_and_value):
    """The edge configuration's file with one value changed (or, with `...`, its key left out)."""
    *keys, last, value = keys_and_value
    content = yaml.safe_load(EDGE.read_text())
    section = content
    for key in keys:
        section = section[key]
    if value is ...:
        del section[last]
    else:
        section[last] = value
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_shipped_configuration_is_read():
    config = load_config(EDGE)
    assert isinstance(config, Config)
    assert (config.input.width, config.input.height, len(config.input.camera_names)) == (352, 128, 6)
    assert config.grid.shape == (100, 100, 8)
    assert config.unit.version == "V3" and config.unit.residual_batch_norm is False


def test_depth_bins_start_at_the_first_and_are_evenly_spaced():
    depths = load_config(EDGE).view_transformer.depths
    assert (depths[0], depths[1], depths[-1], len(depths)) == (1.0, 2.0, 44.0, 44)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("unit", "versoin", "V3"), r"unit\.versoin: no such key; did you mean version\?"),
        (("gird", {}), r"gird: no such key; did you mean grid\?"),
        (("unit", "zzz", 1), r"unit\.zzz: no such key; there are version"),
        (
            ("unit", "version", "V5"),
            r"unit\.version: expected one of V0, V1, V2, V3, ReActNet, BBCU, BiMatting, BiSRNet; found 'V5'",
        ),
        (("unit", "pointwise_input", "int8"), r"unit\.pointwise_input: expected one of sign, real"),
        (("unit", "batch_norm", "yes please"), r"unit\.batch_norm: expected bool"),
        (("input", "width", 351), r"input\.width: expected a multiple of 16; found 351"),
        (("input", "width", 352.5), r"input\.width: expected int; found 352\.5"),
        (("input", "height", ...), r"input: keys missing, among .*height"),
        (("input", "camera_names", []), r"input\.camera_names: expected at least one"),
        (("input", "std", [1, 1, 0]), r"input\.mean, std: expected three numbers each, std above 0"),
        (("input", "trained_views", [{"focal_length": 1}]), r"input\.trained_views\[0\]: keys missing, among .*height"),
        (
            ("input", "trained_views", [{"image": [1600, 900], "focal_length": 0, "center": [8, 4], "height": 1}]),
            r"input\.trained_views\[0\]\.image, focal_length, center, height: expected two sizes",
        ),
        (("grid", ...), r"keys missing, among .*grid"),
        (("grid", "shape", [100, 100]), r"grid\.min, max, shape: expected three numbers each"),
        (("grid", "shape", [100, 100, 0]), r"grid\.shape: expected at least one voxel"),
        (("grid", "min", [40, -40, -1]), r"grid\.min: expected below max"),
        (("grid", "min", [-40, "a", -1]), r"grid\.min\[1\]: expected float; found 'a'"),
        (("bev_encoder", "channels", [64]), r"bev_encoder\.channels: expected two numbers"),
        (("view_transformer", "depth_step", 0), r"view_transformer\.first_depth, depth_step"),
        (("image_encoder", [1, 2]), r"image_encoder: expected keys and values"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_what_was_expected(tmp_path, change, message):
    path = edge_with(tmp_path / "wrong.yaml", *change)
    with pytest.raises(ValueError, match=message) as error:
        load_config(path)
    assert str(path) in str(error.value)


def test_a_file_that_is_not_yaml_is_named(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("a: [1, 2")
    with pytest.raises(ValueError, match=r"broken\.yaml"):
        load_config(path)


def test_changed_keys_are_told_by_their_paths():
    before = {"name": "a", "training": {"steps": 5, "losses": {"depth": 0.1}}, "unit": {"version": "V3"}}
    after = {"name": "a", "training": {"steps": 6, "losses": {"depth": 0.1, "box": 1}}}
    assert changed_keys(before, before) == []
    assert changed_keys(before, after) == ["training.steps", "training.losses.box", "unit"]


def test_modules_can_be_kept_in_full_precision():
    config = load_config(EDGE, ["full_precision=[heads]"])
    assert config.within("heads").unit.precision == "full"
    assert config.within("bev_encoder").unit.precision == "binary"
    with pytest.raises(ValueError, match=r"full_precision\[0\]: expected one of image_encoder, bev_encoder, heads"):
        load_config(EDGE, ["full_precision=[neck]"])


def test_a_unit_has_one_pointwise_layer_or_more():
    with pytest.raises(ValueError, match=r"unit\.pointwise_layers: expected 1 or more; found 0"):
        load_config(EDGE, ["unit.pointwise_layers=0"])
