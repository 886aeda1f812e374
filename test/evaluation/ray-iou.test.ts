import assert from 'node:assert/strict';

import { lidarRays } from '../../src/evaluation/lidar-rays.js';
import { RayIouEvaluation } from '../../src/evaluation/ray-iou.js';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';

const FREE = 2;
const grid = new VoxelGrid({ min: [-40, -40, -1], max: [40, 40, 5.4], shape: [200, 200, 16] });
const origins = [[0.9, 0.1, 1.8]] as const;

/** A closed wall of one class around the origin, `distance` voxels away from the middle. */
function wall(distance: number, label: number): Uint8Array {
  const labels = new Uint8Array(grid.size).fill(FREE);
  for (let voxel = 0; voxel < grid.size; voxel++) {
    const [i, j] = [Math.floor(voxel / 16 / 200), Math.floor(voxel / 16) % 200];
    if (Math.max(Math.abs(i - 100), Math.abs(j - 100)) >= distance) labels[voxel] = label;
  }
  return labels;
}

describe('RayIouEvaluation', () => {
  const everywhere = new Uint8Array(grid.size).fill(1);
  const scoresOf = (prediction: Uint8Array, truth: Uint8Array, mask = everywhere) => {
    const evaluation = new RayIouEvaluation(grid, 3, FREE);
    evaluation.add({ prediction, truth, mask, origins });
    return evaluation;
  };

  it('sends a ray a degree of azimuth, from 45 degrees down to 12 degrees up', () => {
    const rays = lidarRays();
    assert.equal(rays.length % (360 * 3), 0);
    const pitches = new Set([...rays].filter((_, i) => i % 3 === 2).map((z) => Math.asin(z).toFixed(6)));
    assert.equal(pitches.size, rays.length / 360 / 3);
    const sorted = [...pitches].map(Number).sort((a, b) => a - b);
    assert.ok(Math.abs(sorted[0]! + Math.PI / 4) < 1e-5);
    assert.ok(sorted.at(-1)! >= 0.21 && sorted.at(-1)! < 0.222);
  });

  it('is 1 for the truth itself', () => {
    const truth = wall(40, 1);
    assert.deepEqual(scoresOf(truth, truth).scores(), { '1m': 1, '2m': 1, '4m': 1, mean: 1 });
  });

  it('allows a depth that is off by less than the threshold', () => {
    // The wall stands 2 m further, up to 2.9 m along slanting rays; how far they go through its first voxel adds 0.7 m at most.
    const scores = scoresOf(wall(45, 1), wall(40, 1)).scores();
    assert.equal(scores['1m'], 0);
    assert.ok(scores['2m'] < scores['4m']);
    assert.ok(scores['4m'] > 0.9, String(scores['4m']));
  });

  it('counts another class as a miss for both', () => {
    assert.equal(scoresOf(wall(40, 0), wall(40, 1)).scores().mean, 0);
  });

  it('leaves out rays that end nowhere in truth, whatever is predicted', () => {
    const nothing = new Uint8Array(grid.size).fill(FREE);
    assert.ok(Number.isNaN(scoresOf(wall(40, 1), nothing).scores().mean));
  });

  it('scores rays whose true end a camera sees beside all', () => {
    const truth = wall(40, 1);
    // Right in the front half, another class behind; only the front is seen.
    const isFront = (voxel: number): boolean => voxel >= grid.size / 2;
    const prediction = truth.map((label, voxel) => (label === FREE || isFront(voxel) ? label : 0));
    const mask = truth.map((_, voxel) => (isFront(voxel) ? 1 : 0));
    const evaluation = scoresOf(prediction, truth, mask);
    assert.equal(evaluation.visibleScores().mean, 1);
    assert.ok(evaluation.scores().mean < 0.5);
  });
});
