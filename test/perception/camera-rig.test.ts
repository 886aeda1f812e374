import assert from 'node:assert/strict';

import { BdcError } from '../../src/errors.js';
import { RigidTransform } from '../../src/geometry/rigid-transform.js';
import { TransformBuffer } from '../../src/geometry/transform-buffer.js';
import { buildCameraRig } from '../../src/perception/camera-rig.js';

describe('buildCameraRig', () => {
  const info = {
    width: 160,
    height: 90,
    distortion_model: 'plumb_bob',
    d: [0, 0, 0, 0, 0],
    k: [80, 0, 80, 0, 80, 45, 0, 0, 1],
  };
  const transforms = new TransformBuffer();
  transforms.setStatic({
    parent: 'base_link',
    child: 'front_optical',
    stamp: 0n,
    transform: RigidTransform.fromYaw(0.1, [1, 0, 1.5]),
  });
  const build = (frameId: string, changes: object = {}): unknown =>
    buildCameraRig({
      baseFrame: 'base_link',
      cameras: [{ name: 'front', frameId, info: { ...info, ...changes } }],
      transforms,
      stamp: 7n,
    });

  it('takes the lens from the CameraInfo and the pose from the transforms', () => {
    const rig = build('front_optical') as ReturnType<typeof buildCameraRig>;
    assert.equal(rig.baseFrame, 'base_link');
    assert.deepEqual(rig.cameras[0]!.baseFromCamera, RigidTransform.fromYaw(0.1, [1, 0, 1.5]));
    assert.deepEqual(rig.cameras[0]!.model.project([0, 0, 1]), [80, 45]);
  });

  it('names the frames of a missing transform', () => {
    assert.throws(
      () => build('rear_optical'),
      (error) =>
        error instanceof BdcError &&
        error.kind === 'transform' &&
        /"rear_optical" to "base_link"/.test(error.message),
    );
  });

  it('refuses a CameraInfo of zeros and a rig without cameras', () => {
    assert.throws(
      () => build('front_optical', { k: new Float64Array(9) }),
      (error) => error instanceof BdcError && error.code === 'CAMERA_NOT_CALIBRATED',
    );
    assert.throws(
      () => buildCameraRig({ baseFrame: 'base_link', cameras: [], transforms, stamp: 0n }),
      (error) => error instanceof BdcError && error.code === 'CAMERA_RIG_EMPTY',
    );
  });
});
