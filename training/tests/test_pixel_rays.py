import numpy as np

from bdc_training.pixel_rays import pixel_rays

INTRINSICS = np.array([[250.0, 0.0, 170.5], [0.0, 245.0, 60.2], [0.0, 0.0, 1.0]])
# Optical axes (x right, y down, z forward) in the base frame, turned by 0.3 rad of yaw.
YAW = np.array([[np.cos(0.3), -np.sin(0.3), 0.0], [np.sin(0.3), np.cos(0.3), 0.0], [0.0, 0.0, 1.0]])
ROTATION = YAW @ np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
SIZE, SHAPE = (352, 128), (8, 22)


def test_points_along_a_ray_project_to_the_pixel_of_its_cell():
    rays = pixel_rays(INTRINSICS, ROTATION, SIZE, SHAPE)
    assert rays.shape == (8, 22, 3) and rays.dtype == np.float32
    for row, column in ((0, 0), (7, 21), (3, 10)):
        point = ROTATION.T @ (17.0 * rays[row, column].astype(np.float64))
        u, v, _ = INTRINSICS @ point / point[2]
        assert np.allclose((u, v), (np.linspace(0, 351, 22)[column], np.linspace(0, 127, 8)[row]), atol=1e-3)


def test_rays_are_one_long_along_the_optical_axis():
    rays = pixel_rays(INTRINSICS, ROTATION, SIZE, SHAPE)
    assert np.allclose(rays @ ROTATION[:, 2], 1, atol=1e-6)


def test_scaling_and_cropping_the_image_moves_the_pixels_not_the_scene():
    """Half the size, 10 pixels cropped on top: the pixel (u, v) was (2u, 2(v + 10)) before."""
    image_from_full = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, -10.0], [0.0, 0.0, 1.0]])
    cropped = pixel_rays(image_from_full @ INTRINSICS, ROTATION, (176, 54), (1, 1))[0, 0]
    full = np.linalg.inv(INTRINSICS) @ [0.0, 20.0, 1.0]
    assert np.allclose(cropped, ROTATION @ full, atol=1e-6)
