import assert from 'node:assert/strict';
import { InputTransform } from '../../src/perception/input-transform.js';
import { Random } from '../../src/simulation/random.js';
import { nuscenesRig } from '../../src/simulation/rig.js';
import type { ImageSize, SimulatedRig } from '../../src/simulation/rig.js';

const FULL = { width: 1600, height: 900 };
const rigOf = (size: ImageSize): SimulatedRig => nuscenesRig(new Random(5, 0), size);

describe('nuscenesRig', () => {
  it('sees in a small image what is left of a full one after the network’s scaling and cropping', () => {
    const small = { width: 352, height: 128 };
    const transform = new InputTransform(FULL, small);
    const [full, cropped] = [rigOf(FULL), rigOf(small)];
    for (const [i, camera] of full.cameras.entries()) {
      const [fx, fy, cx, cy] = cropped.cameras[i]!.intrinsics;
      const expected = transform.toInput([camera.intrinsics[2], camera.intrinsics[3]]);
      assert.ok(Math.abs(fx - camera.intrinsics[0] * transform.scale) < 1e-9);
      assert.ok(Math.abs(fy - camera.intrinsics[1] * transform.scale) < 1e-9);
      // The resize keeps pixel areas in place, so centres move by up to half a pixel against the network's rule.
      assert.ok(Math.abs(cx - expected[0]) <= 0.5, `cx ${cx}, expected ${expected[0]}`);
      assert.ok(Math.abs(cy - expected[1]) <= 0.5, `cy ${cy}, expected ${expected[1]}`);
    }
  });

  it('turns each camera by little more than a degree from where it is mounted', () => {
    for (const camera of rigOf(FULL).cameras) {
      const [x, y, z] = camera.egoFromCamera.rotate([0, 0, 1]);
      const yaw = {
        CAM_FRONT: 0,
        CAM_FRONT_LEFT: 55,
        CAM_FRONT_RIGHT: -55,
        CAM_BACK: 180,
        CAM_BACK_LEFT: 110,
      }[camera.channel];
      const expected = ((yaw ?? -110) * Math.PI) / 180;
      const cosine = x * Math.cos(expected) + y * Math.sin(expected);
      assert.ok(cosine > Math.cos((1.5 * Math.PI) / 180), camera.channel);
      assert.ok(Math.abs(z) < 0.03, camera.channel);
    }
  });
});
