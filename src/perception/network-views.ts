import type { ModelManifest } from '../engine/manifest.js';
import { BdcError } from '../errors.js';
import { isAsTrained } from './trained-views.js';
import type { CameraRig, RigCamera } from './types.js';
import { virtualViews } from './virtual-views.js';

/** `auto`: virtual cameras for a rig that looks other than those that the network was trained with. */
export const VIRTUAL_CAMERA_MODES = ['auto', 'always', 'never'] as const;
export type VirtualCameraMode = (typeof VIRTUAL_CAMERA_MODES)[number];

/** What the network gets as one camera. */
export interface NetworkView {
  /** Index among the rig's cameras: whose image it is made of. */
  readonly source: number;
  /** That camera, or a virtual one that looks through it (its model is a `VirtualCamera`). */
  readonly camera: RigCamera;
  /** Metres for a metre of depth that the network sees. */
  readonly depthScale: number;
}

/**
 * The images that the network gets of a rig.
 *
 * @param knowsCalibration whether the network is told each camera's calibration: then it knows depths without being corrected
 * @throws BdcError `CAMERA_RIG_SIZE` if these are more than it takes; `VIRTUAL_CAMERAS_UNKNOWN` if virtual ones are asked for and the model
 *     doesn't say what it was trained with
 */
export function networkViews(
  rig: CameraRig,
  input: ModelManifest['input'],
  mode: VirtualCameraMode,
  knowsCalibration: boolean,
): readonly NetworkView[] {
  const trained = input.trained_views;
  if (mode === 'always' && trained === undefined) {
    throw new BdcError('configuration', {
      code: 'VIRTUAL_CAMERAS_UNKNOWN',
      message:
        "virtual cameras look as the network's trained cameras did, and the model's manifest has no input.trained_views; " +
        'export it with them (docs/training.md), or set virtual_cameras to auto or never',
    });
  }
  const isVirtual =
    trained !== undefined && (mode === 'always' || (mode === 'auto' && !isAsTrained(rig, input, trained)));
  const views = isVirtual
    ? virtualViews(rig, input, trained[0]!, !knowsCalibration)
    : rig.cameras.map((camera, source) => ({ source, camera, depthScale: 1 }));
  if (views.length === 0 || views.length > input.cameras) {
    const found = isVirtual
      ? `${views.length} virtual cameras that cover what the rig's ${rig.cameras.length} see`
      : `${views.length}`;
    throw new BdcError('camera', {
      code: 'CAMERA_RIG_SIZE',
      message: `the network takes 1 to ${input.cameras} cameras, found ${found}; leave some out or use another model`,
    });
  }
  return views;
}
