import math

import torch

from bdc_training.config_sections import GridConfig
from bdc_training.view_transformer import lift_splat

GRID = GridConfig(min=(-6.0, -4.0, -1.0), max=(6.0, 4.0, 3.0), shape=(6, 5, 2))
DEPTHS = [0.5, 1.0, 2.0, 4.0, 7.5]


def brute_force(depth, context, rays, origins, mask):
    """docs/model-format.md, point by point, in Python's float64."""
    batch, cameras, bins, height, width = depth.shape
    nx, ny, nz = GRID.shape
    bev = torch.zeros(batch, context.shape[2], ny, nx, dtype=torch.float64)
    for b in range(batch):
        for n in range(cameras):
            for d in range(bins):
                for i in range(height):
                    for j in range(width):
                        ray = rays[b, n, i, j].tolist()
                        if not mask[b, n] or any(math.isnan(value) for value in ray):
                            continue
                        point = [o + DEPTHS[d] * r for o, r in zip(origins[b, n].tolist(), ray, strict=True)]
                        cell = [
                            math.floor((p - low) / ((high - low) / count))
                            for p, low, high, count in zip(point, GRID.min, GRID.max, GRID.shape, strict=True)
                        ]
                        if all(0 <= c < count for c, count in zip(cell, (nx, ny, nz), strict=True)):
                            bev[b, :, cell[1], cell[0]] += (depth[b, n, d, i, j] * context[b, n, :, i, j]).double()
    return bev


def scene():
    generator = torch.Generator().manual_seed(0)
    depth = torch.rand(2, 3, len(DEPTHS), 3, 4, generator=generator)
    context = torch.randn(2, 3, 6, 3, 4, generator=generator)
    rays = torch.randn(2, 3, 3, 4, 3, generator=generator)
    rays[0, 0, 1, 1] = float("nan")
    rays[1, 2, :, 0, 2] = float("nan")
    return depth, context, rays, torch.randn(2, 3, 3, generator=generator)


def test_splat_equals_the_sum_over_all_points():
    depth, context, rays, origins = scene()
    mask = torch.tensor([[True, True, False], [False, True, True]])
    expected = brute_force(depth, context, rays, origins, mask)
    found = lift_splat(depth, context, rays, origins, mask, DEPTHS, GRID)
    assert found.shape == (2, 6, 5, 6)
    assert expected.abs().sum() > 10
    assert torch.allclose(found.double(), expected, atol=1e-5)


def test_without_a_mask_all_cameras_count():
    depth, context, rays, origins = scene()
    everyone = torch.ones(2, 3, dtype=torch.bool)
    found = lift_splat(depth, context, rays, origins, None, DEPTHS, GRID)
    assert torch.equal(found, lift_splat(depth, context, rays, origins, everyone, DEPTHS, GRID))


def one_point(point):
    """The grid after one point with value 1."""
    ones = torch.ones(1, 1, 1, 1, 1)
    origin = torch.tensor(point, dtype=torch.float32).view(1, 1, 3)
    return lift_splat(ones, ones, torch.zeros(1, 1, 1, 1, 3), origin, None, [1.0], GRID)[0, 0]


def test_rows_grow_with_y_and_columns_with_x():
    assert one_point((5.9, -3.9, 0.0)).nonzero().tolist() == [[0, 5]]
    assert one_point((-5.9, 3.9, 0.0)).nonzero().tolist() == [[4, 0]]


def test_lower_borders_belong_to_the_grid_and_upper_ones_dont():
    assert one_point((-6.0, -4.0, -1.0)).sum() == 1
    for axis, high in enumerate(GRID.max):
        point = [0.0, 0.0, 0.0]
        point[axis] = high
        assert one_point(point).sum() == 0


def test_points_above_and_below_the_grid_are_dropped():
    assert one_point((0.0, 0.0, 3.1)).sum() == 0
    assert one_point((0.0, 0.0, -1.1)).sum() == 0


def test_gradients_reach_depth_and_context():
    depth, context, rays, origins = scene()
    depth, context = depth.double().requires_grad_(), context.double().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda d, c: lift_splat(d, c, rays, origins, None, DEPTHS, GRID), (depth, context), fast_mode=True
    )


def test_a_grid_that_nobody_sees_is_zero():
    depth, context, rays, origins = scene()
    nobody = torch.zeros(2, 3, dtype=torch.bool)
    assert lift_splat(depth, context, rays, origins, nobody, DEPTHS, GRID).abs().sum() == 0
