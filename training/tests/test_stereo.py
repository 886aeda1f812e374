"""The stereo cost volume against its description, point by point, and the depth network's graph."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bdc_training.calibration import camera_parameters
from bdc_training.depth_network import DepthNetwork
from bdc_training.golden_graphs import forward_camera
from bdc_training.golden_networks import randomise
from bdc_training.graph_builder import GraphBuilder
from bdc_training.previous import Previous
from bdc_training.run_graph import Rig, run_graph
from bdc_training.stereo import camera_motion, cost_volume, stereo_volume

DEPTHS, STRIDE, BIAS = [1.0, 2.0, 4.0, 8.0], 4, 5.0
ROWS, COLUMNS, CHANNELS = 5, 9, 8


def features(seed, count=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, CHANNELS, ROWS, COLUMNS, generator=generator).relu()


def moved_ego():
    """The ego frame now → then: turned by 0.1 rad, 0.6 m ahead, a little down."""
    motion = torch.eye(4, dtype=torch.float64)
    motion[:2, :2] = torch.tensor([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])
    motion[:3, 3] = torch.tensor([0.6, 0.1, -0.05])
    return motion


def matrices(parameters):
    """Pixel from the camera's frame [3, 3], and the mount [4, 4]."""
    p = parameters.double().numpy()
    image = np.eye(3)
    image[:2] = p[4:10].reshape(2, 3)
    mount = np.eye(4)
    mount[:3] = p[15:].reshape(3, 4)
    return image @ np.array([[p[0], 0, p[2]], [0, p[1], p[3]], [0, 0, 1]]), mount


def sampled(plane, column, row):
    left, top = int(np.floor(column)), int(np.floor(row))
    total = 0.0
    for x, y in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
        if 0 <= x < COLUMNS and 0 <= y < ROWS:
            total = total + plane[:, y, x] * (1 - abs(column - x)) * (1 - abs(row - y))
    return np.zeros(CHANNELS) if isinstance(total, float) else total


def by_the_book(now, before, parameters, parameters_before, motion):
    """docs/model-format.md, stereo_cost_volume, for one camera."""
    (projection, mount), (projection_before, mount_before) = matrices(parameters), matrices(parameters_before)
    costs = np.zeros((len(DEPTHS), ROWS, COLUMNS))
    width, height = COLUMNS * STRIDE - 1, ROWS * STRIDE - 1
    for i in range(ROWS):
        for j in range(COLUMNS):
            pixel = np.array([j * width / (COLUMNS - 1), i * height / (ROWS - 1), 1])
            for d, depth in enumerate(DEPTHS):
                point = np.append(np.linalg.inv(projection) @ pixel * depth, 1)
                then = np.linalg.inv(mount_before) @ motion.numpy() @ mount @ point
                place = np.array([-9.0, -9.0])
                if then[2] >= 1e-3:
                    u, v, w = projection_before @ then[:3]
                    place = np.array([u / w * (COLUMNS - 1) / width, v / w * (ROWS - 1) / height])
                value = sampled(before.double().numpy(), *place)
                costs[d, i, j] = np.abs(now.double().numpy()[:, i, j] - value).sum() + BIAS * (value[-4] == 0)
    return torch.from_numpy(-costs).softmax(0)


def test_the_volume_is_as_described():
    now, before = features(0), features(1)
    parameters = torch.from_numpy(np.stack([forward_camera(0.1), forward_camera(2.9)]))
    before_parameters = torch.from_numpy(np.stack([forward_camera(0.12), forward_camera(2.9)]))
    motion = moved_ego()
    of_cameras = camera_motion(parameters[None], before_parameters[None], motion[None])[0]
    volume = cost_volume(now, before, parameters, before_parameters, of_cameras, DEPTHS, STRIDE, BIAS)
    assert torch.allclose(volume.sum(1), torch.ones(2, ROWS, COLUMNS), atol=1e-6)
    for camera in range(2):
        expected = by_the_book(now[camera], before[camera], parameters[camera], before_parameters[camera], motion)
        assert torch.allclose(volume[camera].double(), expected, atol=1e-5)
    assert float(volume.std()) > 0.05


@pytest.mark.parametrize("depth", range(1, 4))
def test_the_depth_at_which_both_frames_fit_is_the_likeliest(depth):
    """A camera that looks along the vehicle's x axis and moves 1 m to its left: things shift right by focal / depth."""
    focal, columns = 8.0, 33
    looks_ahead = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1.0]])
    intrinsics = np.array([[focal, 0, 16], [0, focal, 2], [0, 0, 1]])
    parameters = torch.from_numpy(camera_parameters(intrinsics, np.eye(3), looks_ahead))[None, None]
    before = torch.randn(1, 16, ROWS, columns, generator=torch.Generator().manual_seed(3))
    shift = int(focal / DEPTHS[depth])
    now = before.roll(shift, 3)
    motion = torch.eye(4, dtype=torch.float64)[None]
    motion[0, 1, 3] = 1
    of_camera = camera_motion(parameters, parameters, motion)[0]
    volume = cost_volume(now, before, parameters[0], parameters[0], of_camera, DEPTHS, 1, BIAS)
    assert (volume[0, :, :, 8:].argmax(0) == depth).all()
    assert float(volume[0, depth, :, 8:].min()) > 0.9


def test_without_a_frame_before_or_without_an_image_it_is_zero():
    def frame(exists, masks):
        values = torch.zeros(2, 2, 3)
        parameters = torch.from_numpy(np.stack([forward_camera(0.1), forward_camera(2.9)])).expand(2, 2, 27)
        motion = moved_ego().expand(2, 4, 4)
        return parameters, Previous(values, values, values, torch.tensor(masks), parameters, motion, exists)

    parameters, previous = frame(torch.tensor([True, False]), [[True, False], [True, True]])
    now, before = features(0, 4), features(1, 4)
    mask = torch.tensor([[True, True], [True, True]])
    volume = stereo_volume(now, before, parameters, previous, mask, DEPTHS, STRIDE, BIAS)
    assert [bool(camera.any()) for camera in volume] == [True, False, False, False]
    volume = stereo_volume(now, before, parameters, previous, ~mask, DEPTHS, STRIDE, BIAS)
    assert not volume.any()


def test_the_depth_networks_graph_computes_what_it_does():
    torch.manual_seed(0)
    network = DepthNetwork(12, 7, 5, 6)
    randomise(network, np.random.default_rng(0))
    network.eval()
    x, volume = torch.randn(2, 12, 6, 8), torch.randn(2, 7, 24, 32).softmax(1)
    parameters = torch.from_numpy(np.stack([forward_camera(0.1), forward_camera(2.9)]))
    graph = GraphBuilder()
    names = network.emit(graph, "depth", "x", "volume")
    rig = Rig(torch.zeros(0), torch.zeros(0), parameters)
    run = run_graph({"graph": {"operations": graph.operations}}, graph.tensors, {"x": x, "volume": volume}, rig)
    with torch.no_grad():
        expected = network(x, parameters, volume)
    found = torch.cat([run.values[name] for name in names], 1)
    assert torch.allclose(found, expected, rtol=0, atol=1e-4 * float(expected.abs().max()))
    assert F.softmax(found[:, :7], 1).std() > 0.01
