import assert from 'node:assert/strict';
import { cameraModelFromInfo } from '../../src/geometry/camera-info.js';
import type { Vector3 } from '../../src/geometry/rigid-transform.js';
import { InputTransform } from '../../src/perception/input-transform.js';
import { cameraInfo } from '../../src/simulation/drive-messages.js';
import { Random } from '../../src/simulation/random.js';
import { buildRig } from '../../src/simulation/rig.js';
import type { ImageSize, SimulatedRig } from '../../src/simulation/rig.js';
import { RIG_NAMES, RIG_PLANS } from '../../src/simulation/rig-plans.js';
import type { RigName } from '../../src/simulation/rig-plans.js';

const SMALL = { width: 352, height: 128 };
const rigOf = (name: RigName, size: ImageSize): SimulatedRig => buildRig(name, new Random(5, 0), size);
const fullSize = (name: RigName): ImageSize => ({
  width: RIG_PLANS[name].width,
  height: RIG_PLANS[name].height,
});

for (const name of RIG_NAMES) {
  describe(`Rig ${name}`, () => {
    it('sees in a small image what is left of a full one after the network’s scaling and cropping', () => {
      const transform = new InputTransform(fullSize(name), SMALL);
      const [full, cropped] = [rigOf(name, fullSize(name)), rigOf(name, SMALL)];
      for (const [i, camera] of full.cameras.entries()) {
        const [fx, fy, cx, cy] = cropped.cameras[i]!.intrinsics;
        const expected = transform.toInput([camera.intrinsics[2], camera.intrinsics[3]]);
        assert.ok(Math.abs(fx - camera.intrinsics[0] * transform.scaleX) < 1e-9);
        assert.ok(Math.abs(fy - camera.intrinsics[1] * transform.scaleY) < 1e-9);
        assert.ok(Math.abs(cx - expected[0]) < 1e-9, `cx ${cx}, expected ${expected[0]}`);
        assert.ok(Math.abs(cy - expected[1]) < 1e-9, `cy ${cy}, expected ${expected[1]}`);
      }
    });

    it('turns each camera by little more than a degree from where it is mounted', () => {
      for (const [i, camera] of rigOf(name, SMALL).cameras.entries()) {
        const [x, y, z] = camera.egoFromCamera.rotate([0, 0, 1]);
        const expected = (RIG_PLANS[name].mounts[i]!.yaw * Math.PI) / 180;
        const cosine = x * Math.cos(expected) + y * Math.sin(expected);
        assert.ok(cosine > Math.cos((1.5 * Math.PI) / 180), camera.channel);
        assert.ok(Math.abs(z) < 0.03, camera.channel);
      }
    });

    it('describes its lenses in CameraInfo as it renders them', () => {
      for (const camera of rigOf(name, SMALL).cameras) {
        const model = cameraModelFromInfo(cameraInfo(camera, { sec: 0, nanosec: 0 }), camera.channel);
        for (const point of [
          [0, 0, 1],
          [1, -0.2, 3],
          [-4, 0.5, 2],
        ] as const) {
          assert.deepEqual(model.project(point), camera.lens.project(point)!.pixel);
        }
      }
    });
  });
}

describe('FisheyeLens', () => {
  const camera = rigOf('four-fisheye', SMALL).cameras[0]!;
  const { lens } = camera;
  const rays = lens.cornerRays!;
  const corner = (row: number, column: number): Vector3 =>
    [...rays.subarray((row * (SMALL.width + 1) + column) * 3).slice(0, 3)] as unknown as Vector3;
  /** A point `angle` degrees to the right of the optical axis. */
  const aside = (angle: number): Vector3 => [
    5 * Math.sin((angle * Math.PI) / 180),
    0,
    5 * Math.cos((angle * Math.PI) / 180),
  ];

  it('sees along the ray of each pixel corner what it projects there', () => {
    let checked = 0;
    for (let row = 0; row <= SMALL.height; row += 4) {
      for (let column = 0; column <= SMALL.width; column += 4) {
        const ray = corner(row, column);
        if (Number.isNaN(ray[0])) continue;
        assert.ok(Math.abs(Math.hypot(...ray) - 1) < 1e-6);
        // A little inwards of the lens's edge, where rounding to float32 may put a ray outside.
        if (ray[2] < Math.cos((94.9 * Math.PI) / 180)) continue;
        const { pixel, depth } = lens.project(ray.map((value) => value * 8) as unknown as Vector3)!;
        assert.ok(Math.hypot(pixel[0] - (column - 0.5), pixel[1] - (row - 0.5)) < 1e-3);
        assert.ok(Math.abs(depth - 8) < 1e-5);
        checked += 1;
      }
    }
    assert.ok(checked > 2000, `${checked} corners`);
  });

  it('sees behind its image plane, up to 95° off the axis', () => {
    assert.ok(lens.project(aside(94))!.pixel[0] < SMALL.width);
    assert.equal(lens.project(aside(96)), undefined);
    assert.ok(rays.some((value, i) => i % 3 === 2 && value < -0.05));
    assert.ok(Number.isNaN(corner(SMALL.height, 0)[0]), 'black outside of the circle');
  });
});
