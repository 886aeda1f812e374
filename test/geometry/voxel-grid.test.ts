import assert from 'node:assert/strict';

import { VoxelGrid } from '../../src/geometry/voxel-grid.js';

describe('VoxelGrid', () => {
  const grid = new VoxelGrid({ min: [-40, -40, -1], max: [40, 40, 5.4], shape: [200, 200, 16] });

  it('finds each voxel by its own centre', () => {
    for (const [i, j, k] of [
      [0, 0, 0],
      [199, 199, 15],
      [17, 101, 3],
    ] as const) {
      assert.equal(grid.indexOf(grid.center(i, j, k)), (i * 200 + j) * 16 + k);
    }
  });

  it('has nothing outside its bounds', () => {
    assert.equal(grid.indexOf([40, 0, 0]), undefined);
    assert.equal(grid.indexOf([0, -40.001, 0]), undefined);
    assert.equal(grid.indexOf([0, 0, 5.41]), undefined);
    assert.equal(grid.indexOf([NaN, 0, 0]), undefined);
  });
});
