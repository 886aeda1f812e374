import assert from 'node:assert/strict';
import { HeightField, randomHills } from '../../src/simulation/height-field.js';
import { Random } from '../../src/simulation/random.js';

/** A plane is reproduced exactly by bilinear interpolation: 5 % up along x, 2 % down along y. */
const slope = (x: number, y: number): number => 0.05 * x - 0.02 * y;
const plane = new HeightField(0, 0, slope);

describe('HeightField', () => {
  it('gives a plane’s heights between its points', () => {
    for (const [x, y] of [
      [0, 0],
      [1.3, -2.7],
      [-101.9, 77.2],
    ] as const) {
      assert.ok(Math.abs(plane.at(x, y) - slope(x, y)) < 1e-5, `${x}, ${y}`);
    }
  });

  it('is constant beyond its edges', () => {
    assert.equal(plane.at(500, 0), plane.at(168, 0));
    assert.equal(plane.at(0, -500), plane.at(0, -168));
  });

  it('lays a footprint onto the ground, whichever way it faces', () => {
    for (const yaw of [0, 0.7, -2.1, Math.PI]) {
      const pose = plane.poseOn({ x: 3, y: -8, yaw }, 4, 2, 1.35);
      // All four corners touch, the origin included.
      for (const [u, v] of [
        [0, 0],
        [3.35, 1],
        [3.35, -1],
        [-0.65, 1],
        [-0.65, -1],
      ] as const) {
        const [x, y, z] = pose.apply([u, v, 0]);
        assert.ok(Math.abs(z - plane.at(x, y)) < 1e-4, `yaw ${yaw}, corner ${u}, ${v}`);
      }
      const [fx, fy] = pose.rotate([1, 0, 0]);
      assert.ok(Math.abs(Math.atan2(fy, fx) - Math.atan2(Math.sin(yaw), Math.cos(yaw))) < 1e-6);
      const up = pose.rotate([0, 0, 1]);
      const n = Math.hypot(0.05, 0.02, 1);
      [-0.05 / n, 0.02 / n, 1 / n].forEach((expected, axis) => {
        assert.ok(Math.abs(up[axis]! - expected) < 1e-5, `up, axis ${axis}`);
      });
    }
  });

  it('makes hills no steeper than 8.5 %, and some scenes level', () => {
    let level = 0;
    let steepest = 0;
    for (let scene = 0; scene < 60; scene++) {
      const hills = randomHills(new Random(5, scene), 20, -30);
      let most = 0;
      for (let i = 0; i < 400; i++) {
        const [x, y] = [20 + ((i * 37) % 300) - 150, -30 + ((i * 91) % 300) - 150];
        const rise = [hills.at(x + 1, y) - hills.at(x, y), hills.at(x, y + 1) - hills.at(x, y)];
        most = Math.max(most, Math.hypot(...rise));
      }
      if (most === 0) level += 1;
      steepest = Math.max(steepest, most);
    }
    assert.ok(level >= 3 && level <= 18, `${level} of 60 scenes are level`);
    assert.ok(steepest > 0.05 && steepest <= 0.0851, `steepest ${steepest}`);
  });
});
