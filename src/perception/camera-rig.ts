import { BdcError } from '../errors.js';
import { cameraModelFromInfo } from '../geometry/camera-info.js';
import type { CameraInfo } from '../geometry/camera-info.js';
import type { TransformBuffer } from '../geometry/transform-buffer.js';
import type { CameraRig, StampNs } from './types.js';

export interface CameraCalibration {
  readonly name: string;
  /** Optical frame (`header.frame_id` of the CameraInfo): z forward. */
  readonly frameId: string;
  readonly info: CameraInfo;
}

/**
 * A rig out of what ROS tells of it: a CameraInfo for each camera and the transforms from /tf and /tf_static.
 *
 * @param stamp when the transforms are looked up; any time will do if they are static
 * @throws BdcError of kind `camera` (calibration) or `transform` (missing, out of time)
 */
export function buildCameraRig({
  baseFrame,
  cameras,
  transforms,
  stamp,
}: {
  readonly baseFrame: string;
  readonly cameras: readonly CameraCalibration[];
  readonly transforms: TransformBuffer;
  readonly stamp: StampNs;
}): CameraRig {
  if (cameras.length === 0) {
    throw new BdcError('camera', {
      code: 'CAMERA_RIG_EMPTY',
      message: 'a rig needs at least one camera, found none',
    });
  }
  return {
    baseFrame,
    cameras: cameras.map(({ name, frameId, info }) => ({
      name,
      model: cameraModelFromInfo(info, name),
      baseFromCamera: transforms.lookup(baseFrame, frameId, stamp),
    })),
  };
}
