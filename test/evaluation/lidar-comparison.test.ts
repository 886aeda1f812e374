import assert from 'node:assert/strict';

import { compareWithLidar, LidarState, lidarStates } from '../../src/evaluation/lidar-comparison.js';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';

/** A row of voxels of 1 m along x, two high: the upper one's bottom is 1 m above z = 0. */
const grid = new VoxelGrid({ min: [0, -0.5, 0], max: [20, 0.5, 2], shape: [20, 1, 2] });
const origin = [0.5, 0, 1.5] as const;
const voxel = (i: number, k: number): number => i * 2 + k;

describe('Comparison with LiDAR', () => {
  it('marks where rays end and what they go through', () => {
    const states = lidarStates(grid, Float32Array.of(6.5, 0, 1.5, 12.5, 0, 1.5), origin);
    for (let i = 0; i < 20; i++) {
      const expected = i === 6 || i === 12 ? LidarState.hit : i < 12 ? LidarState.free : LidarState.unknown;
      assert.equal(states[voxel(i, 1)], expected, `voxel ${i}`);
      assert.equal(states[voxel(i, 0)], LidarState.unknown);
    }
  });

  it('leaves out returns of the vehicle itself and what lies outside the grid', () => {
    assert.ok(lidarStates(grid, Float32Array.of(2.5, 0, 1.5), origin).every((state) => state === 0));
    const states = lidarStates(grid, Float32Array.of(50, 0, 1.5), origin);
    assert.ok(!states.includes(LidarState.hit));
    assert.equal(states[voxel(19, 1)], LidarState.free);
  });

  it('gives recall over hit voxels and precision over known ones, by range and height', () => {
    const states = new Uint8Array(grid.size);
    for (const [i, k] of [
      [2, 0],
      [3, 0],
      [4, 1],
      [15, 1],
    ] as const)
      states[voxel(i, k)] = LidarState.hit;
    for (const [i, k] of [
      [5, 1],
      [6, 1],
      [16, 1],
    ] as const)
      states[voxel(i, k)] = LidarState.free;
    const isOccupied = new Uint8Array(grid.size);
    // One of the hits below and the one above, one free voxel, and one that LiDAR does not know.
    for (const [i, k] of [
      [2, 0],
      [4, 1],
      [5, 1],
      [8, 1],
    ] as const)
      isOccupied[voxel(i, k)] = 1;
    const inView = new Uint8Array(grid.size).fill(1);
    const { total, by_range } = compareWithLidar(grid, states, isOccupied, inView);
    assert.deepEqual(by_range[0]!.all, { hit_voxels: 3, free_voxels: 2, recall: 2 / 3, precision: 2 / 3 });
    assert.deepEqual(by_range[0]!.above_ground, {
      hit_voxels: 1,
      free_voxels: 2,
      recall: 1,
      precision: 1 / 2,
    });
    assert.deepEqual(by_range[1]!.all, { hit_voxels: 1, free_voxels: 1, recall: 0, precision: null });
    assert.equal(by_range[2]!.all.recall, null);
    assert.deepEqual(total.all, { hit_voxels: 4, free_voxels: 3, recall: 1 / 2, precision: 2 / 3 });
    inView.fill(0);
    assert.equal(compareWithLidar(grid, states, isOccupied, inView).total.all.hit_voxels, 0);
  });
});
