import { cameraModelFromInfo } from '../../src/geometry/camera-info.js';
import { RigidTransform } from '../../src/geometry/rigid-transform.js';
import type { NetworkView } from '../../src/perception/network-views.js';
import type { CameraRig, RigCamera } from '../../src/perception/types.js';

/** An undistorted camera that looks along `yaw` (0 = +x) from 1.5 m above the base frame's origin. */
export function cameraLooking(
  name: string,
  yaw: number,
  { width = 160, height = 90, focalLength = 80 } = {},
): RigCamera {
  const k = [focalLength, 0, (width - 1) / 2, 0, focalLength, (height - 1) / 2, 0, 0, 1];
  // REP-103: optical x right = −y, y down = −z, z forward = +x of the base frame.
  const optical = RigidTransform.fromMatrix([0, 0, 1, -1, 0, 0, 0, -1, 0], [0, 0, 0]);
  return {
    name,
    model: cameraModelFromInfo({ width, height, k, d: [], distortion_model: 'none' }, name),
    baseFromCamera: RigidTransform.fromYaw(yaw, [0, 0, 1.5]).compose(optical),
  };
}

export const frontAndRear: CameraRig = {
  baseFrame: 'base_link',
  cameras: [cameraLooking('front', 0), cameraLooking('rear', Math.PI)],
};

/** The network's images are the rig's. */
export const realViews = ({ cameras }: Pick<CameraRig, 'cameras'>): readonly NetworkView[] =>
  cameras.map((camera, source) => ({ source, camera, depthScale: 1 }));
