import numpy as np
import pytest
from tiny_dataset import SPEC, edit_table, intrinsics, write_tiny_dataset

from bdc_training.depth_targets import depth_targets
from bdc_training.lens import EquidistantLens, lens_of
from bdc_training.nuscenes_tables import NuScenesTables
from bdc_training.pixel_rays import pixel_rays

LENS = EquidistantLens((0.02, -0.006, 0.0008, 0.0))


def test_an_angle_is_seen_at_its_radius():
    """OpenCV's fisheye::projectPoints for a point 60° off the axis: θ (1 + k1 θ² + k2 θ⁴ + k3 θ⁶)."""
    angle = np.pi / 3
    point = 7 * np.array([[np.sin(angle) * 0.6, np.sin(angle) * 0.8, np.cos(angle)]])
    distorted = LENS.distort(point)
    radius = angle * (1 + 0.02 * angle**2 - 0.006 * angle**4 + 0.0008 * angle**6)
    assert np.allclose(distorted / distorted[:, 2:], [[0.6 * radius, 0.8 * radius, 1]])
    assert distorted[0, 2] == point[0, 2]


def test_undistorting_is_the_inverse():
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(-9, 9, (500, 2)), np.ones(500)])
    points[0, :2] = 0
    assert np.allclose(LENS.undistort(LENS.distort(points)), points, atol=1e-6)


def test_nothing_is_seen_beyond_the_lens():
    """tan(89°) is still seen; a radius of 90° isn't, and neither is what a radius that shrinks again would show."""
    assert np.isnan(LENS.undistort(np.array([[1.7, 0, 1]]))).all()
    folding = EquidistantLens((-0.3, 0.0, 0.0, 0.0))
    assert np.isnan(folding.undistort(np.array([[0.8, 0, 1]]))).all()
    assert np.isfinite(folding.undistort(np.array([[0.7, 0, 1]]))).all()


def test_returns_lie_on_the_rays_of_their_cells():
    """A return in the middle of a cell goes to this cell's depth, through the lens as along the ray."""
    matrix = np.array(intrinsics())
    size = SPEC.width, SPEC.height
    rays = pixel_rays(matrix, np.eye(3), size, (SPEC.height, SPEC.width), LENS).astype(np.float64)
    target = depth_targets(13 * rays[8, 24:25], matrix, SPEC, LENS)
    assert target[6, 8 // SPEC.stride, 24 // SPEC.stride] == 1 and target.sum() == 1


def test_a_data_set_tells_the_lens(tmp_path):
    write_tiny_dataset(tmp_path, 1)
    k = [0.1, 0.0, 0.0, 0.0]
    lens = {"distortion_model": "equidistant", "distortion": k}
    edit_table(tmp_path, "calibrated_sensor", lambda row: row | lens if row["sensor_token"] == "CAM_BACK" else row)
    (record,) = NuScenesTables(tmp_path).samples()
    assert record.cameras["CAM_BACK"].lens == EquidistantLens(tuple(k))
    assert record.cameras["CAM_FRONT"].lens is None


@pytest.mark.parametrize(
    ("model", "coefficients", "message"),
    [
        ("equidistant", [0.1], "expected 4 finite"),
        ("equidistant", [0.1, 0, 0, np.nan], "expected 4 finite"),
        ("plumb_bob", [0.1, 0, 0, 0, 0], "rectify"),
        ("mirror", [], "rectify"),
    ],
)
def test_lenses_that_are_not_read_are_refused(model, coefficients, message):
    with pytest.raises(ValueError, match=message):
        lens_of(model, coefficients)


def test_no_distortion_is_no_lens():
    assert lens_of("plumb_bob", [0, 0, 0, 0, 0]) is None and lens_of("none", []) is None
