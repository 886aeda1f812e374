import type { TrainedView } from '../engine/manifest.js';
import type { Intrinsics } from '../geometry/intrinsics.js';
import { FORWARD_FROM_OPTICAL } from '../geometry/optical-frame.js';
import { PinholeCamera } from '../geometry/pinhole-camera.js';
import { RigidTransform, type Vector3 } from '../geometry/rigid-transform.js';
import { InputTransform, type NetworkInput } from './input-transform.js';
import type { CameraRig, RigCamera } from './types.js';

/** Largest angle between where a pixel of a known camera looks and where that of a trained one does, radians. */
const SAME_DIRECTION = (5 * Math.PI) / 180;
/** Largest ratio of heights above the ground. */
const SAME_HEIGHT = 1.25;

/** A trained view's intrinsics, of the network's input. */
export const intrinsicsOf = (view: TrainedView, { width, height }: NetworkInput): Intrinsics => ({
  width,
  height,
  fx: view.focal_length,
  fy: view.focal_length,
  cx: view.center[0],
  cy: view.center[1],
});

/** The mount of a camera that looks level in a direction, radians about +z from +x. */
export const levelMount = (yaw: number, position: Vector3): RigidTransform =>
  RigidTransform.fromYaw(yaw, position).compose(FORWARD_FROM_OPTICAL);

/** Whether each camera looks, up to its yaw and place on the vehicle, as one that the network was trained with. */
export function isAsTrained(rig: CameraRig, input: NetworkInput, trained: readonly TrainedView[]): boolean {
  return rig.cameras.every((camera) => trained.some((view) => looksAs(camera, view, input)));
}

function looksAs({ model, baseFromCamera }: RigCamera, view: TrainedView, input: NetworkInput): boolean {
  const heights = baseFromCamera.translation[2] / view.height;
  if (!(heights < SAME_HEIGHT && heights > 1 / SAME_HEIGHT)) return false;
  const [x, y] = baseFromCamera.rotate([0, 0, 1]);
  const mount = levelMount(Math.atan2(y, x), [0, 0, 0]);
  const pinhole = new PinholeCamera(intrinsicsOf(view, input));
  const transform = new InputTransform(model, input);
  return [0, 0.5, 1].every((across) =>
    [0, 0.5, 1].every((down) => {
      const pixel = [across * (input.width - 1), down * (input.height - 1)] as const;
      const ray = model.unproject(transform.toImage(pixel));
      return (
        ray !== undefined &&
        angle(baseFromCamera.rotate(ray), mount.rotate(pinhole.unproject(pixel)!)) < SAME_DIRECTION
      );
    }),
  );
}

const angle = (a: Vector3, b: Vector3): number =>
  Math.acos(Math.min(1, (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / (Math.hypot(...a) * Math.hypot(...b))));
