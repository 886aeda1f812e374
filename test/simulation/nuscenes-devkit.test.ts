import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { exportNuscenes } from '../../src/simulation/nuscenes-export.js';
import { needDevkit, runWithDevkit } from '../devkit.js';

type Geometry = Readonly<
  Record<
    | 'boxes'
    | 'returns'
    | 'returns_inside'
    | 'pixels'
    | 'pixels_inside'
    | 'velocities'
    | 'largest_velocity_error',
    number
  >
>;

describe('A simulated data set in nuscenes-devkit', function () {
  // The first run installs the devkit.
  this.timeout(600_000);
  let root: string;

  before(async function () {
    await needDevkit(this);
    root = await mkdtemp(join(tmpdir(), 'devkit-geometry-'));
    const imageSize = { width: 176, height: 64 };
    await exportNuscenes({
      out: root,
      seed: 12,
      scenes: 2,
      samplesPerScene: 3,
      imageSize,
      samplesPerPixel: 1,
    });
  });

  after(async () => {
    if (root !== undefined) await rm(root, { recursive: true });
  });

  it('has boxes that hold their lidar returns, in space and in images, and velocities that their places tell', async () => {
    const picture = join(root, 'picture.png');
    const stdout = await runWithDevkit('test/simulation/devkit_geometry.py', root, picture);
    const found = JSON.parse(stdout) as Geometry;
    console.log(`      ${stdout}`);
    assert.ok(found.boxes > 60 && found.returns > 2000, stdout);
    // Long vehicles on slopes tilt out of their upright boxes.
    assert.ok(found.returns_inside > 0.95 * found.returns, stdout);
    assert.ok(found.pixels > 200 && found.pixels_inside === found.pixels, stdout);
    assert.ok(found.velocities > 30 && found.largest_velocity_error < 1, stdout);
    const { width } = await sharp(await readFile(picture)).metadata();
    assert.ok(width > 100, 'the devkit draws an image with its boxes');
  });
});
