import assert from 'node:assert/strict';

import { cameraModelFromInfo } from '../../src/geometry/camera-info.js';
import { RigidTransform } from '../../src/geometry/rigid-transform.js';
import { InputTransform } from '../../src/perception/input-transform.js';
import { computeRigRays } from '../../src/perception/rig-rays.js';
import { cameraLooking, frontAndRear, realViews } from './rig.js';

describe('InputTransform', () => {
  it('scales nuScenes images to the published input: 0.44, 140 rows cropped at the top', () => {
    const transform = new InputTransform({ width: 1600, height: 900 }, { width: 704, height: 256 });
    assert.deepEqual(
      [
        transform.scaleX,
        transform.scaleY,
        transform.resizedWidth,
        transform.resizedHeight,
        transform.cropX,
        transform.cropY,
      ],
      [0.44, 0.44, 704, 396, 0, 140],
    );
    // half a pixel from the edge before and after: 0.44 · 100.5 − ½, 0.44 · 800.5 − ½ − 140
    const [u, v] = transform.toInput([100, 800]);
    assert.ok(Math.hypot(u - 43.72, v - 211.72) < 1e-9, `${u}, ${v}`);
  });

  it('crops left and right equally where the image is wider than the input', () => {
    const transform = new InputTransform({ width: 400, height: 100 }, { width: 100, height: 50 });
    assert.deepEqual([transform.scaleX, transform.cropX, transform.cropY], [0.5, 50, 0]);
  });

  it('scales small images up', () => {
    const transform = new InputTransform({ width: 50, height: 40 }, { width: 100, height: 50 });
    assert.deepEqual([transform.scaleX, transform.cropX, transform.cropY], [2, 0, 30]);
  });

  it('maps edges onto edges, also where the sides are scaled differently by rounding', () => {
    const transform = new InputTransform({ width: 333, height: 777 }, { width: 352, height: 128 });
    const [left, top] = transform.toInput([-0.5, -0.5]);
    const [right, bottom] = transform.toInput([332.5, 776.5]);
    const { resizedWidth, resizedHeight, cropX, cropY } = transform;
    const expected = [-0.5 - cropX, -0.5 - cropY, resizedWidth - 0.5 - cropX, resizedHeight - 0.5 - cropY];
    [left, top, right, bottom].forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-9));
  });

  it('covers the input for every size, and maps pixels there and back', () => {
    for (const [width, height] of [
      [1601, 899],
      [333, 777],
      [3, 2],
    ] as const) {
      const transform = new InputTransform({ width, height }, { width: 352, height: 128 });
      assert.ok(transform.resizedWidth - transform.cropX >= 352 && transform.cropX >= 0);
      assert.equal(transform.resizedHeight - transform.cropY, 128);
      const [u, v] = transform.toImage(transform.toInput([12, 34]));
      assert.ok(Math.hypot(u - 12, v - 34) < 1e-9);
    }
  });
});

describe('computeRigRays', () => {
  it('sends corner pixels through the crop and the lens into the base frame', () => {
    // 160 × 90 to 80 × 30: scale 0.5, 15 rows cropped, so that the middle of input (0, 0) is between pixels 0 and 1, 30 and 31.
    const { cameras, rays, origins } = computeRigRays(
      realViews(frontAndRear),
      { width: 80, height: 30 },
      [2, 3],
    );
    assert.equal(cameras, 2);
    assert.equal(rays.length, 2 * 2 * 3 * 3);
    assert.deepEqual([...origins], [0, 0, 1.5, 0, 0, 1.5]);
    const expected = (u: number, v: number, forward: number): number[] => {
      const [right, down] = [(u - 79.5) / 80, (v - 44.5) / 80];
      return [forward, -right * forward, -down];
    };
    const pixels = [0, 39.5, 79].flatMap((u) =>
      [0, 29].map((v) => [(u + 0.5) / 0.5 - 0.5, (v + 15.5) / 0.5 - 0.5] as const),
    );
    for (const [camera, forward] of [1, -1].entries()) {
      pixels.forEach(([u, v], i) => {
        const [column, row] = [Math.floor(i / 2), i % 2];
        const ray = rays.subarray(((camera * 2 + row) * 3 + column) * 3).slice(0, 3);
        expected(u, v, forward).forEach((value, axis) =>
          assert.ok(Math.abs(ray[axis]! - value) < 1e-6, `camera ${camera}, row ${row}, column ${column}`),
        );
      });
    }
  });

  it('scales rays to a component of 1 along the optical axis', () => {
    const camera = cameraLooking('tilted', 0.7);
    const axis = camera.baseFromCamera.rotate([0, 0, 1]);
    const { rays } = computeRigRays(realViews({ cameras: [camera] }), { width: 80, height: 45 }, [4, 5]);
    for (let i = 0; i < rays.length; i += 3) {
      const along = rays[i]! * axis[0] + rays[i + 1]! * axis[1] + rays[i + 2]! * axis[2];
      assert.ok(Math.abs(along - 1) < 1e-6);
    }
  });

  it('takes the first row and column of a feature map of one cell', () => {
    const { rays } = computeRigRays(realViews(frontAndRear), { width: 160, height: 90 }, [1, 1]);
    assert.deepEqual([...rays.slice(0, 3)], [1, 79.5 / 80, 44.5 / 80].map(Math.fround));
  });

  it('has NaN where the lens sees nothing', () => {
    const model = cameraModelFromInfo(
      { width: 200, height: 200, k: [60, 0, 99.5, 0, 60, 99.5, 0, 0, 1], d: [], distortion_model: 'fisheye' },
      'dome',
    );
    const views = realViews({ cameras: [{ name: 'dome', model, baseFromCamera: RigidTransform.identity }] });
    const { rays } = computeRigRays(views, { width: 200, height: 200 }, [3, 3]);
    // The corner is 134° off axis, the middle of an edge 95°, the centre 0°.
    assert.deepEqual(
      Array.from({ length: 9 }, (_, i) => Number.isNaN(rays[i * 3])),
      [true, true, true, true, false, true, true, true, true],
    );
  });
});
