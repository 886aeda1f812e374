import assert from 'node:assert/strict';

import { VoxelGrid } from '../../src/geometry/voxel-grid.js';
import { computeCoverage } from '../../src/perception/coverage.js';
import { cameraLooking, frontAndRear, realViews } from './rig.js';

describe('computeCoverage', () => {
  const grid = new VoxelGrid({ min: [-8, -8, 0], max: [8, 8, 3], shape: [16, 16, 3] });
  const wholeImage = { width: 160, height: 90 };

  const at = (coverage: Uint32Array, x: number, y: number, z: number): number =>
    coverage[grid.indexOf([x, y, z])!]!;

  it('sets the bit of each camera that has the voxel in its image', async () => {
    const coverage = await computeCoverage(realViews(frontAndRear), grid, wholeImage);
    assert.equal(coverage.length, grid.size);
    assert.equal(at(coverage, 5.5, 0.5, 1.5), 0b01);
    assert.equal(at(coverage, -5.5, 0.5, 1.5), 0b10);
    assert.equal(at(coverage, 0.5, 6.5, 1.5), 0);
  });

  it('counts the half pixel around the border and nothing beyond it', async () => {
    // 80 pixels to each side at 80 pixels focal length: 45°, so y = ± x is the border.
    const coverage = await computeCoverage(realViews(frontAndRear), grid, wholeImage);
    assert.equal(at(coverage, 5.5, 4.5, 1.5), 0b01);
    assert.equal(at(coverage, 5.5, 6.5, 1.5), 0);
  });

  it('leaves out what the crop takes away', async () => {
    // 70 of the 90 rows go at the top: what is left looks at least 25 / 80 downwards.
    const coverage = await computeCoverage(realViews(frontAndRear), grid, { width: 160, height: 20 });
    assert.equal(at(coverage, 5.5, 0.5, 1.5), 0);
    assert.equal(at(coverage, 2.5, 0.5, 0.5), 0b01);
  });

  it('sets the last of 32 bits, and refuses a 33rd camera', async () => {
    const cameras = Array.from({ length: 33 }, (_, i) => cameraLooking(`camera_${i}`, 0));
    const coverage = await computeCoverage(realViews({ cameras: cameras.slice(0, 32) }), grid, wholeImage);
    assert.equal(at(coverage, 5.5, 0.5, 1.5), 0xffffffff);
    await assert.rejects(computeCoverage(realViews({ cameras }), grid, wholeImage), RangeError);
  });

  it('lets the event loop run while it works', async () => {
    const large = new VoxelGrid({ min: [-40, -40, -1], max: [40, 40, 5.4], shape: [200, 200, 16] });
    let isDone = false;
    let turns = 0;
    const work = computeCoverage(realViews(frontAndRear), large, wholeImage).then(() => (isDone = true));
    while (!isDone) {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await work;
    assert.ok(turns > 2, `${turns} turns`);
  });
});
