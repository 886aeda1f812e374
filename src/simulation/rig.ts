import { RigidTransform } from '../geometry/rigid-transform.js';
import type { Vector3 } from '../geometry/rigid-transform.js';
import type { Random } from './random.js';

/** A camera as mounted; angles in degrees (yaw about z, 0 = forward, left positive), metres in the ego frame. */
interface Mount {
  readonly channel: string;
  readonly yaw: number;
  readonly position: Vector3;
  /** Pixels, of the full 1600×900 image. */
  readonly focalLength: number;
}

/** Positions and focal lengths near those of nuScenes' cars; order as in BEVDet's configurations. */
const NUSCENES_MOUNTS: readonly Mount[] = [
  { channel: 'CAM_FRONT_LEFT', yaw: 55, position: [1.52, 0.49, 1.51], focalLength: 1266 },
  { channel: 'CAM_FRONT', yaw: 0, position: [1.7, 0.01, 1.51], focalLength: 1266 },
  { channel: 'CAM_FRONT_RIGHT', yaw: -55, position: [1.55, -0.49, 1.5], focalLength: 1266 },
  { channel: 'CAM_BACK_LEFT', yaw: 110, position: [1.03, 0.48, 1.58], focalLength: 1266 },
  { channel: 'CAM_BACK', yaw: 180, position: [0.03, 0, 1.57], focalLength: 809 },
  { channel: 'CAM_BACK_RIGHT', yaw: -110, position: [1.02, -0.48, 1.56], focalLength: 1266 },
];
const FULL_WIDTH = 1600;
const FULL_HEIGHT = 900;
/** The principal point of nuScenes' cameras lies below the middle. */
const FULL_CENTER = [807, 490] as const;

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

export interface SimulatedCamera extends ImageSize {
  readonly channel: string;
  readonly egoFromCamera: RigidTransform;
  /** fx, fy, cx, cy; pixel (0, 0) is the centre of the top left pixel. */
  readonly intrinsics: readonly [number, number, number, number];
}

export interface SimulatedRig {
  readonly cameras: readonly SimulatedCamera[];
  readonly egoFromLidar: RigidTransform;
}

/** Optical axes (x right, y down, z forward) in a frame that looks along +x. */
const FORWARD_FROM_OPTICAL = RigidTransform.fromMatrix([0, 0, 1, -1, 0, 0, 0, -1, 0], [0, 0, 0]);

/** nuScenes: x right, y forward, z up, above the roof. */
const EGO_FROM_LIDAR = RigidTransform.fromYaw(-Math.PI / 2, [0.94, 0, 1.84]);

/**
 * The six cameras, scaled and cropped as docs/model-format.md prepares an image of 1600×900: scaled to cover `size`, then cut equally left
 * and right, and at the top only. Each is turned by up to 1° about each axis and moved by up to 5 cm along each.
 */
export function nuscenesRig(random: Random, size: ImageSize): SimulatedRig {
  const scale = Math.max(size.width / FULL_WIDTH, size.height / FULL_HEIGHT);
  const cutLeft = (FULL_WIDTH * scale - size.width) / 2;
  const cutTop = FULL_HEIGHT * scale - size.height;
  const degree = Math.PI / 180;
  const cameras = NUSCENES_MOUNTS.map(({ channel, yaw, position, focalLength }): SimulatedCamera => {
    const shift = () => random.uniform(-0.05, 0.05);
    const tilt = () => random.uniform(-degree, degree) / 2; // half angle, for the quaternion
    const [x, y, z] = position;
    const mounted = RigidTransform.fromYaw(yaw * degree, [x + shift(), y + shift(), z + shift()]);
    const jitter = new RigidTransform([tilt(), tilt(), tilt(), 1], [0, 0, 0]);
    const f = focalLength * random.uniform(0.995, 1.005) * scale;
    return {
      channel,
      ...size,
      egoFromCamera: mounted.compose(jitter).compose(FORWARD_FROM_OPTICAL),
      intrinsics: [
        f,
        f,
        (FULL_CENTER[0] + 0.5) * scale - 0.5 - cutLeft,
        (FULL_CENTER[1] + 0.5) * scale - 0.5 - cutTop,
      ],
    };
  });
  return { cameras, egoFromLidar: EGO_FROM_LIDAR };
}
