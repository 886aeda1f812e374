import { FORWARD_FROM_OPTICAL } from '../geometry/optical-frame.js';
import { RigidTransform } from '../geometry/rigid-transform.js';
import { FisheyeLens, PinholeLens } from './lens.js';
import type { Lens } from './lens.js';
import type { Random } from './random.js';
import { RIG_PLANS } from './rig-plans.js';
import type { RigName, RigPlan } from './rig-plans.js';

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

export interface SimulatedCamera extends ImageSize {
  readonly channel: string;
  readonly egoFromCamera: RigidTransform;
  /** fx, fy, cx, cy; pixel (0, 0) is the centre of the top left pixel. */
  readonly intrinsics: readonly [number, number, number, number];
  readonly lens: Lens;
}

export interface SimulatedRig {
  readonly cameras: readonly SimulatedCamera[];
  readonly egoFromLidar: RigidTransform;
  /** Metres between the axles and between the wheels of one, which decide how the vehicle lies on the ground. */
  readonly wheelBase: number;
  readonly track: number;
}

/**
 * The cameras of a rig, scaled and cropped as docs/model-format.md prepares an image: scaled to cover `size`, then cut equally left
 * and right, and at the top only. Each is turned by up to 1° about each axis and moved by up to 5 cm along each.
 */
export function buildRig(name: RigName, random: Random, size: ImageSize): SimulatedRig {
  const plan: RigPlan = RIG_PLANS[name];
  const scale = Math.max(size.width / plan.width, size.height / plan.height);
  const cutLeft = (plan.width * scale - size.width) / 2;
  const cutTop = plan.height * scale - size.height;
  const degree = Math.PI / 180;
  const cameras = plan.mounts.map(({ channel, yaw, position, focalLength }): SimulatedCamera => {
    const shift = () => random.uniform(-0.05, 0.05);
    const tilt = () => random.uniform(-degree, degree) / 2; // half angle, for the quaternion
    const [x, y, z] = position;
    const mounted = RigidTransform.fromYaw(yaw * degree, [x + shift(), y + shift(), z + shift()]);
    const jitter = new RigidTransform([tilt(), tilt(), tilt(), 1], [0, 0, 0]);
    const f = focalLength * random.uniform(0.995, 1.005) * scale;
    const cx = (plan.center[0] + 0.5) * scale - 0.5 - cutLeft;
    const cy = (plan.center[1] + 0.5) * scale - 0.5 - cutTop;
    const intrinsics = { ...size, fx: f, fy: f, cx, cy };
    return {
      channel,
      ...size,
      egoFromCamera: mounted.compose(jitter).compose(FORWARD_FROM_OPTICAL),
      intrinsics: [f, f, cx, cy],
      lens:
        plan.fisheye === undefined
          ? new PinholeLens(intrinsics)
          : new FisheyeLens(intrinsics, plan.fisheye.coefficients, plan.fisheye.halfAngle),
    };
  });
  return {
    cameras,
    // nuScenes' lidar frame: x right, y forward, z up.
    egoFromLidar: RigidTransform.fromYaw(-Math.PI / 2, plan.lidar),
    wheelBase: plan.wheelBase,
    track: plan.track,
  };
}
