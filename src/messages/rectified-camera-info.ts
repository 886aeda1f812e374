import { BdcError } from '../errors.js';
import type { CameraInfo } from './ros-types.js';

/** Sine of the angle below which a rectifying rotation is none: 0.06°, a pixel of most cameras. */
const NO_ROTATION = 1e-3;

/**
 * The calibration of a rectified image as one of a raw image: P without distortion.
 * @param name of the camera, for the message
 * @throws BdcError `CAMERA_RECTIFIED_ROTATED` where rectification also turned the image (R of a stereo camera): its optical frame is then
 *     another one than that of the CameraInfo
 */
export function rectifiedCameraInfo(info: CameraInfo, name: string): CameraInfo {
  const { p, r } = info;
  const isTurned = Array.from(r).some((value, i) => Math.abs(value - (i % 4 === 0 ? 1 : 0)) > NO_ROTATION);
  // all zero: not filled in, as for a single camera
  if (isTurned && Array.from(r).some((value) => value !== 0)) {
    throw new BdcError('camera', {
      code: 'CAMERA_RECTIFIED_ROTATED',
      message: `camera ${name}: its images are rectified with a rotation (R), as of a stereo camera; use its raw images`,
    });
  }
  return {
    ...info,
    distortion_model: '',
    d: [],
    k: [p[0], p[1], p[2], p[4], p[5], p[6], p[8], p[9], p[10]] as number[],
  };
}
