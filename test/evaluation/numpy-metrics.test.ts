import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { encodeNpz } from '../../src/dataset/npz.js';
import { OCC3D_CLASSES, OCC3D_FREE, OCC3D_GRID } from '../../src/dataset/occ3d.js';
import { OccupancyEvaluation } from '../../src/evaluation/occupancy-evaluation.js';
import { RayIouEvaluation } from '../../src/evaluation/ray-iou.js';
import type { Vector3 } from '../../src/geometry/rigid-transform.js';
import { Random } from '../../src/simulation/random.js';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));
const [, , nz] = OCC3D_GRID.shape;

/** Ground, and things scattered over it. */
function scatter(random: Random): Uint8Array {
  const labels = new Uint8Array(OCC3D_GRID.size).fill(OCC3D_FREE);
  for (let column = 0; column < labels.length / nz; column++) {
    if (random.chance(0.9)) labels[column * nz + 2] = random.integer(11, 14);
    if (random.chance(0.03)) {
      const label = random.integer(0, 16);
      for (let k = 3; k < random.integer(4, nz); k++) labels[column * nz + k] = label;
    }
  }
  return labels;
}

describe('Occupancy metrics beside a NumPy re-computation', function () {
  this.timeout(600_000);

  it('gives the same mIoU, occupied IoU and RayIoU', async function () {
    try {
      // Its Python has NumPy.
      await run('scripts/devkit-env.sh', { cwd: repository });
    } catch (error) {
      const { code, stderr } = error as { readonly code: number; readonly stderr: string };
      if (code !== 2) throw error;
      console.log(`      skipped: ${stderr.trim()}`);
      this.skip();
    }
    const folder = await mkdtemp(join(tmpdir(), 'numpy-metrics-'));
    const random = new Random(5, 0);
    const occupancy = new OccupancyEvaluation(OCC3D_GRID, OCC3D_CLASSES.length, OCC3D_FREE);
    const rays = new RayIouEvaluation(OCC3D_GRID, OCC3D_CLASSES.length, OCC3D_FREE);
    const originsOf: readonly (readonly Vector3[])[] = [
      [[0.94, 0.03, 1.84]],
      [
        [0.94, 0.01, 1.84],
        [-12.31, 7.72, 1.93],
      ],
    ];
    try {
      for (const [sample, origins] of originsOf.entries()) {
        const truth = scatter(random);
        const other = scatter(random);
        const prediction = truth.map((label, voxel) => (random.chance(0.3) ? other[voxel]! : label));
        const mask = truth.map(() => (random.chance(0.6) ? 1 : 0));
        occupancy.add(prediction, truth, mask);
        rays.add({ prediction, truth, mask, origins });
        const { shape } = OCC3D_GRID;
        const npz = await encodeNpz({
          prediction: { shape, data: prediction },
          truth: { shape, data: truth },
          mask: { shape, data: mask },
          origins: { shape: [origins.length, 3], data: Float32Array.from(origins.flat()) },
        });
        await writeFile(join(folder, `sample-${sample}.npz`), npz);
      }
      const { stdout } = await run(join(repository, '.venv-devkit/bin/python'), [
        join(repository, 'test/evaluation/numpy_metrics.py'),
        folder,
      ]);
      const numpy = JSON.parse(stdout) as Readonly<Record<'miou' | 'occupied_iou', number>> &
        Readonly<Record<'ray_iou_all' | 'ray_iou_visible', readonly number[]>>;
      const near = (ours: number, theirs: number, tolerance: number): void =>
        assert.ok(Math.abs(ours - theirs) <= tolerance, `${ours}, NumPy ${theirs}`);
      near(occupancy.scores().miou, numpy.miou, 1e-12);
      near(occupancy.scores().occupied_iou, numpy.occupied_iou, 1e-12);
      for (const [ours, theirs] of [
        [rays.scores(), numpy.ray_iou_all],
        [rays.visibleScores(), numpy.ray_iou_visible],
      ] as const) {
        // A ray that grazes a voxel's edge may count there or not, as origins are rounded to float32 for NumPy.
        [ours['1m'], ours['2m'], ours['4m']].forEach((value, i) => near(value, theirs[i]!, 1e-3));
        assert.ok(ours['1m'] > 0.1 && ours['1m'] < ours['4m'] && ours['4m'] < 0.9);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
