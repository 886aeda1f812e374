import assert from 'node:assert/strict';
import { downsampleLabels, upsampleLabels } from '../../src/dataset/resample-labels.js';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';

const FREE = 3;

describe('resampling labels', () => {
  const fine = new VoxelGrid({ min: [0, 0, 0], max: [4, 2, 2], shape: [4, 2, 2] });
  const coarse = new VoxelGrid({ min: [0, 0, 0], max: [4, 2, 2], shape: [2, 1, 1] });

  it('takes the most frequent occupied class of the visible voxels, the lowest index on a tie', () => {
    const labels = Uint8Array.of(
      FREE,
      FREE,
      FREE,
      2,
      2,
      1,
      1,
      FREE,
      /* second block: */ 0,
      0,
      0,
      0,
      0,
      0,
      0,
      FREE,
    );
    const mask = Uint8Array.of(
      1,
      1,
      1,
      1,
      1,
      1,
      1,
      1,
      /* only the free voxel is visible: */ 0,
      0,
      0,
      0,
      0,
      0,
      0,
      1,
    );
    const out = downsampleLabels({ grid: fine, labels, mask }, coarse, 4, FREE);
    assert.deepEqual([...out.labels], [1, FREE]);
    assert.deepEqual([...out.mask], [1, 1]);
  });

  it('marks a block without a visible voxel as not visible', () => {
    const out = downsampleLabels(
      { grid: fine, labels: new Uint8Array(16), mask: new Uint8Array(16) },
      coarse,
      4,
      FREE,
    );
    assert.deepEqual([...out.mask], [0, 0]);
  });

  it('repeats coarse labels on the finer grid', () => {
    assert.deepEqual(
      [...upsampleLabels(Uint8Array.of(1, 2), coarse, fine)],
      [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2],
    );
  });

  it('refuses grids of other ranges', () => {
    const other = new VoxelGrid({ min: [0, 0, 0], max: [5, 2, 2], shape: [2, 1, 1] });
    assert.throws(() => upsampleLabels(new Uint8Array(2), other, fine), /same range with whole ratios/);
  });
});
