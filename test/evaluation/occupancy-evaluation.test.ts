import assert from 'node:assert/strict';
import { OccupancyEvaluation } from '../../src/evaluation/occupancy-evaluation.js';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';

describe('OccupancyEvaluation', () => {
  const grid = new VoxelGrid({ min: [0, 0, 0], max: [2, 1, 1], shape: [2, 1, 1] });

  it('ignores voxels outside the mask', () => {
    const evaluation = new OccupancyEvaluation(grid, 3, 2);
    evaluation.add(Uint8Array.of(0, 1), Uint8Array.of(0, 0), Uint8Array.of(1, 0));
    assert.deepEqual(evaluation.scores(), {
      miou: 1,
      iou_per_class: [1, null, null],
      occupied_iou: 1,
      occupied_iou_above_ground: null,
    });
  });

  it("scores the prior with each voxel's most frequent class", () => {
    const evaluation = new OccupancyEvaluation(grid, 3, 2);
    const anything = Uint8Array.of(2, 2);
    const all = Uint8Array.of(1, 1);
    evaluation.add(anything, Uint8Array.of(0, 2), all);
    evaluation.add(anything, Uint8Array.of(0, 2), all);
    evaluation.add(anything, Uint8Array.of(1, 1), all);
    // The prior says class 0 for the first voxel and free for the second.
    const prior = evaluation.priorScores();
    assert.equal(prior.iou_per_class[0], 2 / 3);
    assert.equal(prior.iou_per_class[1], 0);
    assert.equal(prior.miou, 1 / 3);
    assert.equal(prior.occupied_iou, 3 / 4);
  });

  it('scores the voxels above the ground beside all, of the prior too', () => {
    const evaluation = new OccupancyEvaluation(grid, 3, 2);
    const all = Uint8Array.of(1, 1);
    const above = Uint8Array.of(0, 1);
    // The first voxel is always right; the second, above the ground, once of three times.
    evaluation.add(Uint8Array.of(0, 1), Uint8Array.of(0, 1), all, above);
    evaluation.add(Uint8Array.of(0, 2), Uint8Array.of(0, 1), all, above);
    evaluation.add(Uint8Array.of(0, 1), Uint8Array.of(0, 2), all, above);
    assert.equal(evaluation.scores().occupied_iou_above_ground, 1 / 3);
    assert.equal(evaluation.priorScores().occupied_iou_above_ground, 2 / 3);
    assert.deepEqual(evaluation.confusion, [
      [3, 0, 0],
      [0, 1, 1],
      [0, 1, 0],
    ]);
    assert.deepEqual([...evaluation.prior()], [0, 1]);
  });

  it('refuses arrays of another grid', () => {
    const evaluation = new OccupancyEvaluation(grid, 3, 2);
    assert.throws(
      () => evaluation.add(new Uint8Array(3), new Uint8Array(2), new Uint8Array(2)),
      /prediction needs 2 voxels/,
    );
  });
});
