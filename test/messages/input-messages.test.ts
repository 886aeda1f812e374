import assert from 'node:assert/strict';
import { BdcError } from '../../src/errors.js';
import {
  imageFromCompressedMessage,
  imageFromMessage,
  transformsFromMessage,
} from '../../src/messages/input-messages.js';
import { rectifiedCameraInfo } from '../../src/messages/rectified-camera-info.js';
import type { CameraInfo } from '../../src/messages/ros-types.js';

const header = { stamp: { sec: 2, nanosec: 5 }, frame_id: 'camera' };
const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];

describe('input messages', () => {
  it('become images with the stamp of their header', () => {
    const data = new Uint8Array(6);
    const raw = { header, width: 2, height: 1, encoding: 'bgr8', step: 6, is_bigendian: 1, data };
    assert.deepEqual(imageFromMessage(raw), {
      kind: 'raw',
      stamp: 2_000_000_005n,
      width: 2,
      height: 1,
      encoding: 'bgr8',
      step: 6,
      isBigEndian: true,
      data,
    });
    assert.deepEqual(imageFromCompressedMessage({ header, format: 'jpeg', data }), {
      kind: 'compressed',
      stamp: 2_000_000_005n,
      data,
    });
  });

  it('become transforms, each invalid one an error of its own', () => {
    const transform = (w: number) => ({
      header,
      child_frame_id: 'lens',
      transform: { translation: { x: 1, y: 2, z: 3 }, rotation: { x: 0, y: 0, z: 0, w } },
    });
    const [good, zero, nan] = transformsFromMessage({
      transforms: [transform(1), transform(0), transform(NaN)],
    });
    assert.ok(!(good instanceof BdcError));
    assert.deepEqual([good!.parent, good!.child, good!.stamp], ['camera', 'lens', 2_000_000_005n]);
    assert.deepEqual(good!.transform.translation, [1, 2, 3]);
    for (const bad of [zero, nan]) {
      assert.ok(
        bad instanceof BdcError && bad.code === 'TRANSFORM_INVALID' && /"lens" in "camera"/.test(bad.message),
      );
    }
  });

  it('of rectified images have the calibration of P', () => {
    const info = {
      d: [0.1],
      k: identity,
      r: identity,
      p: [5, 0, 3, -2, 0, 6, 4, 0, 0, 0, 1, 0],
    } as unknown as CameraInfo;
    const { d, k } = rectifiedCameraInfo(info, 'left');
    assert.deepEqual([d, k], [[], [5, 0, 3, 0, 6, 4, 0, 0, 1]]);
    // drivers of single cameras leave R at zero
    assert.deepEqual(rectifiedCameraInfo({ ...info, r: new Array<number>(9).fill(0) }, 'left').k, k);
    const turned = { ...info, r: [0.995, 0, 0.0998, 0, 1, 0, -0.0998, 0, 0.995] };
    assert.throws(() => rectifiedCameraInfo(turned, 'left'), { code: 'CAMERA_RECTIFIED_ROTATED' });
  });
});
