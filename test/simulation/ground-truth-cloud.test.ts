import assert from 'node:assert/strict';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';
import { groundTruthCloud } from '../../src/simulation/ground-truth-cloud.js';

const FREE = 17;
const CAR = 4;
const ROAD = 11;
const grid = new VoxelGrid({ min: [0, 0, 0], max: [1.6, 0.8, 0.8], shape: [4, 2, 2] });
const header = { stamp: { sec: 1, nanosec: 0 }, frame_id: 'base_link' };

/** Two blocks of 2×2×2: the first eight voxels, then the other eight. */
const cloudOf = (semantics: readonly number[], visible: readonly number[], factor: number) => {
  const maskCamera = Uint8Array.from(visible);
  const truth = { semantics: Uint8Array.from(semantics), maskCamera, maskLidar: maskCamera };
  const cloud = groundTruthCloud(truth, grid, factor, header);
  const view = new DataView(cloud.data.buffer, cloud.data.byteOffset, cloud.data.byteLength);
  return Array.from({ length: cloud.width }, (_, i) => ({
    x: view.getFloat32(i * cloud.point_step, true),
    y: view.getFloat32(i * cloud.point_step + 4, true),
    z: view.getFloat32(i * cloud.point_step + 8, true),
    label: cloud.data[i * cloud.point_step + 12],
  }));
};

const eight = (value: number): number[] => Array<number>(8).fill(value);

describe('groundTruthCloud', () => {
  it('gives a block the most frequent class of its visible voxels that are not free', () => {
    const first = [CAR, CAR, ROAD, FREE, FREE, FREE, FREE, FREE];
    const points = cloudOf([...first, ...eight(FREE)], [...eight(1), ...eight(1)], 2);
    assert.deepEqual(
      points.map(({ label }) => label),
      [CAR, FREE],
    );
    assert.ok(Math.abs(points[0]!.x - 0.4) < 1e-6 && Math.abs(points[1]!.x - 1.2) < 1e-6);
    assert.ok(points.every(({ y, z }) => Math.abs(y - 0.4) < 1e-6 && Math.abs(z - 0.4) < 1e-6));
  });

  it('counts no voxel that no camera sees, and leaves out a block without any', () => {
    const first = [CAR, CAR, CAR, ROAD, FREE, FREE, FREE, FREE];
    const points = cloudOf([...first, ...eight(ROAD)], [0, 0, 0, 1, 1, 1, 1, 1, ...eight(0)], 2);
    assert.deepEqual(
      points.map(({ label }) => label),
      [ROAD],
    );
  });

  it('gives every visible voxel with blocks of one', () => {
    const points = cloudOf([...eight(ROAD), ...eight(FREE)], [...eight(1), 1, 1, 0, 0, 0, 0, 0, 0], 1);
    assert.equal(points.length, 10);
  });

  it('refuses blocks that do not divide the grid', () => {
    assert.throws(() => cloudOf(Array<number>(16).fill(FREE), eight(1), 4), RangeError);
  });
});
