import assert from 'node:assert/strict';

import { BdcError } from '../../src/errors.js';
import { cameraModelFromInfo } from '../../src/geometry/camera-info.js';
import { computeCameraParameters } from '../../src/perception/camera-parameters.js';
import { computeRigRays } from '../../src/perception/rig-rays.js';
import { cameraLooking, frontAndRear, realViews } from './rig.js';

const INPUT = { width: 80, height: 30 };

describe('computeCameraParameters', () => {
  it('says what the rays say: pixel of the input → pixel of the image → ray → base frame', () => {
    const [h, w] = [3, 5] as const;
    const all = computeCameraParameters(realViews(frontAndRear), INPUT);
    const { rays, origins } = computeRigRays(realViews(frontAndRear), INPUT, [h, w]);
    assert.equal(all.length, 2 * 27);
    for (let camera = 0; camera < 2; camera++) {
      const [fx, fy, cx, cy, r00, r01, t0, r10, r11, t1, ...rest] = all.subarray(
        camera * 27,
      ) as unknown as number[];
      assert.deepEqual(rest.slice(0, 5), [1, 0, 0, 1, 1], 'a world as it is');
      assert.deepEqual([r01, r10], [0, 0]);
      const m = rest.slice(5);
      for (const row of [0, 1, 2]) assert.ok(Math.abs(m[row * 4 + 3]! - origins[camera * 3 + row]!) < 1e-6);
      for (let i = 0; i < h; i++) {
        for (let j = 0; j < w; j++) {
          const [u, v] = [(j * (INPUT.width - 1)) / (w - 1), (i * (INPUT.height - 1)) / (h - 1)];
          const [x, y] = [((u - t0!) / r00! - cx!) / fx!, ((v - t1!) / r11! - cy!) / fy!];
          for (const row of [0, 1, 2]) {
            const expected = rays[((camera * h + i) * w + j) * 3 + row]!;
            const found = m[row * 4]! * x + m[row * 4 + 1]! * y + m[row * 4 + 2]!;
            assert.ok(Math.abs(found - expected) < 1e-5, `camera ${camera}, ray ${i}, ${j}`);
          }
        }
      }
    }
  });

  it('refuses a camera whose images are distorted, and says what to do', () => {
    const info = { width: 160, height: 90, k: [80, 0, 80, 0, 80, 45, 0, 0, 1] };
    for (const [distortion_model, d] of [
      ['plumb_bob', [-0.3, 0.1, 0, 0, 0]],
      ['equidistant', [0, 0, 0, 0]],
    ] as const) {
      const model = cameraModelFromInfo({ ...info, distortion_model, d }, 'left');
      const views = realViews({ cameras: [{ ...cameraLooking('left', 0), model }] });
      assert.throws(
        () => computeCameraParameters(views, INPUT),
        (error: unknown) =>
          error instanceof BdcError &&
          error.code === 'CAMERA_DISTORTED' &&
          /left.*rectified/.test(error.message),
      );
    }
  });
});
