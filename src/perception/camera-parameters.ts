import { BdcError } from '../errors.js';
import { InputTransform, type NetworkInput } from './input-transform.js';
import type { NetworkView } from './network-views.js';

/** Numbers of each camera. */
const PARAMETERS = 27;

/**
 * What a network that uses the calibration is given of each camera, `[cameras, 27]`: `camera_parameters` in docs/model-format.md.
 *
 * @throws BdcError `CAMERA_DISTORTED` for a camera whose images are distorted: such a network compares pixels of two frames as a pinhole
 *     camera sees them
 */
export function computeCameraParameters(views: readonly NetworkView[], input: NetworkInput): Float32Array {
  const parameters = new Float32Array(views.length * PARAMETERS);
  views.forEach(({ camera: { name, model, baseFromCamera } }, view) => {
    if (model.undistorted === undefined) {
      throw new BdcError('camera', {
        code: 'CAMERA_DISTORTED',
        message:
          `camera ${name}: the network compares images between frames and needs them without distortion; ` +
          'give it the rectified images (image_proc) with their CameraInfo, or use another model',
      });
    }
    const { fx, fy, cx, cy } = model.undistorted;
    const { scaleX, scaleY, offset } = new InputTransform(model, input);
    const { matrix: m, translation: t } = baseFromCamera;
    const image = [scaleX, 0, offset[0], 0, scaleY, offset[1]];
    const unchangedWorld = [1, 0, 0, 1, 1];
    const mount = [m[0], m[1], m[2], t[0], m[3], m[4], m[5], t[1], m[6], m[7], m[8], t[2]];
    parameters.set([fx, fy, cx, cy, ...image, ...unchangedWorld, ...mount], view * PARAMETERS);
  });
  return parameters;
}
