"""PyTorch in the engine's order of rounding: close to plain PyTorch, and equal to the engine."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bdc_training import engine_rounding, view_transformer
from bdc_training.config_sections import GridConfig
from bdc_training.engine_comparison import EngineComparison
from bdc_training.exported_model import ExportedModel
from bdc_training.nuscenes_tables import NuScenesTables
from bdc_training.occupancy_labels import block_size, down_sample, load_occ3d

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (16, 32), (50, 50)])
def test_mean_of_planes(size: tuple[int, int]) -> None:
    x = torch.rand(2, 3, *size)
    torch.testing.assert_close(engine_rounding.mean_of_planes(x), x.mean((2, 3), keepdim=True))


def test_exponential() -> None:
    x = torch.linspace(-87, 87, 100_001)
    exact = x.double().exp()
    error = ((engine_rounding.exponential(x) - exact) / exact).abs()
    assert (error < 3e-7 + x.abs() * 7.5e-8).all()
    assert torch.equal(engine_rounding.exponential(torch.tensor([-1e9, 1e9])), engine_rounding.exponential(x[[0, -1]]))


def test_softmax() -> None:
    x = torch.randn(2, 44, 3, 5) * 5
    torch.testing.assert_close(engine_rounding.softmax(x), x.softmax(1))


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (3, 2), (16, 44)])
def test_upsample_twice(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    expected = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(engine_rounding.upsample_twice(x), expected)


@pytest.mark.parametrize("has_bias", [False, True])
def test_matrix(has_bias: bool) -> None:
    x, signs, scale = torch.randn(6, 32, 1, 1), torch.randn(8, 32).sign(), torch.rand(8)
    bias = torch.randn(8) if has_bias else None
    expected = F.conv2d(x, (signs * scale[:, None])[:, :, None, None], bias)
    torch.testing.assert_close(engine_rounding.matrix(x, signs, scale, bias), expected, rtol=1e-5, atol=1e-6)


def test_lift_splat() -> None:
    grid = GridConfig((-8, -8, -1), (8, 8, 3), (8, 10, 2))
    depth = torch.rand(1, 2, 5, 3, 4)
    context, rays, origins = torch.randn(1, 2, 6, 3, 4), torch.randn(1, 2, 3, 4, 3), torch.randn(1, 2, 3)
    depths = (1.0, 2.0, 3.0, 4.0, 5.0)
    expected = view_transformer.lift_splat(depth, context, rays, origins, None, depths, grid)
    assert expected.abs().sum() > 0
    cells = view_transformer.bev_cells(rays, origins, None, depths, grid)
    torch.testing.assert_close(engine_rounding.splat(depth, context, cells, grid), expected)


def test_every_voxel_equals_the_engines(tmp_path: Path) -> None:
    """The shipped model with float32 between blocks: not one voxel differs."""
    bdc_occ = ROOT / "dist/cli/main.js"
    if shutil.which("node") is None or not bdc_occ.exists():
        pytest.skip("needs the engine: node scripts/bootstrap.mjs")
    model, data, voxels = ROOT / "models/edge/bdc-occ-edge.safetensors", tmp_path / "data", tmp_path / "voxels"

    def run(*arguments: object) -> None:
        command = ["node", bdc_occ, *arguments]
        subprocess.run([str(part) for part in command], check=True, env={**os.environ, "BDC_RESIDUAL": "fp32"})

    run("simulate", data, "--format", "nuscenes", "--scenes", 2, "--seed", 4711, "--image-size", "352x128")
    run("evaluate", "--model", model, "--data", data, "--write-occupancy", voxels)
    exported, comparison = ExportedModel(model), EngineComparison(voxels)
    maker = exported.batch_maker(data, tmp_path / "cache")
    for index, record in enumerate(NuScenesTables(data).samples()):
        (prediction,) = exported.predict(maker.plain([index]))
        assert len(np.unique(prediction.labels)) > 3
        semantics, visible = load_occ3d(record.labels_path)
        labels = down_sample(semantics, visible, block_size(maker.dataset.spec))
        comparison.add(record.token, labels, prediction.labels)
    agreement = comparison.agreement()
    assert agreement.samples == 2
    assert agreement.equal_voxels == 1
    assert agreement.miou_difference == 0
