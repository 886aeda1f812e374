import assert from 'node:assert/strict';

import { aboveGround, groundHeights } from '../../src/evaluation/above-ground.js';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';

const [ROAD, CAR, FREE] = [0, 1, 2];
const flat = new Set([ROAD]);
/** Columns of four voxels of 0.4 m from −0.2 m on. */
const grid = new VoxelGrid({ min: [0, 0, -0.2], max: [1.2, 0.4, 1.4], shape: [3, 1, 4] });
const rounded = (heights: Float32Array): number[] =>
  Array.from(heights, (h) => Math.round(h * 1e5) / 1e5 + 0);

describe('The ground of a sample', () => {
  it('lies in the topmost voxel of the lowest run of flat ones', () => {
    const labels = Uint8Array.of(
      ...[ROAD, FREE, FREE, FREE],
      ...[ROAD, ROAD, FREE, ROAD],
      ...[FREE, CAR, ROAD, CAR],
    );
    assert.deepEqual(rounded(groundHeights(grid, labels, flat)), [0, 0.4, 0.8]);
  });

  it('of a column without flat voxels is that of the nearest one', () => {
    const labels = new Uint8Array(12).fill(FREE);
    labels[9] = ROAD;
    assert.deepEqual(rounded(groundHeights(grid, labels, flat)), [0.4, 0.4, 0.4]);
  });

  it('is at 0 where there is none at all', () => {
    assert.deepEqual(rounded(groundHeights(grid, new Uint8Array(12).fill(CAR), flat)), [0, 0, 0]);
  });

  it('is left from the voxel on whose bottom is 0.4 m above it', () => {
    assert.deepEqual(
      [...aboveGround(grid, grid, Float32Array.of(0, 0.4, -5))],
      [...[0, 0, 1, 1], ...[0, 0, 0, 1], ...[1, 1, 1, 1]],
    );
  });

  it('of a coarse column is its highest one', () => {
    const coarse = new VoxelGrid({ min: [0, 0, -0.2], max: [1.2, 0.4, 1.4], shape: [1, 1, 2] });
    assert.deepEqual([...aboveGround(coarse, grid, Float32Array.of(0, 0, 0))], [0, 1]);
    assert.deepEqual([...aboveGround(coarse, grid, Float32Array.of(0, 0.4, 0))], [0, 0]);
  });
});
