import type { Vector3 } from '../geometry/rigid-transform.js';
import type { LensDistortion } from './lens.js';

/** A camera as mounted; angles in degrees (yaw about z, 0 = forward, left positive), metres in the ego frame. */
export interface Mount {
  readonly channel: string;
  readonly yaw: number;
  readonly position: Vector3;
  /** Pixels, of the full image. */
  readonly focalLength: number;
}

/** A rig by its drawings; each scene's is a little off from it. */
export interface RigPlan {
  readonly mounts: readonly Mount[];
  /** Of the full images, pixels. */
  readonly width: number;
  readonly height: number;
  /** Principal point of the full images: pixel (0, 0) is the centre of the top left pixel. */
  readonly center: readonly [number, number];
  /** Undefined: pinhole cameras. */
  readonly fisheye?: {
    readonly coefficients: LensDistortion['coefficients'];
    /** Radians off the optical axis beyond which the image is black. */
    readonly halfAngle: number;
  };
  /** Where the lidar is mounted. */
  readonly lidar: Vector3;
  /** Metres; base_link is the ground under the middle of the rear axle. */
  readonly wheelBase: number;
  readonly track: number;
}

/** Positions and focal lengths near those of nuScenes' cars; order as in BEVDet's configurations. */
const NUSCENES: RigPlan = {
  mounts: [
    { channel: 'CAM_FRONT_LEFT', yaw: 55, position: [1.52, 0.49, 1.51], focalLength: 1266 },
    { channel: 'CAM_FRONT', yaw: 0, position: [1.7, 0.01, 1.51], focalLength: 1266 },
    { channel: 'CAM_FRONT_RIGHT', yaw: -55, position: [1.55, -0.49, 1.5], focalLength: 1266 },
    { channel: 'CAM_BACK_LEFT', yaw: 110, position: [1.03, 0.48, 1.58], focalLength: 1266 },
    { channel: 'CAM_BACK', yaw: 180, position: [0.03, 0, 1.57], focalLength: 809 },
    { channel: 'CAM_BACK_RIGHT', yaw: -110, position: [1.02, -0.48, 1.56], focalLength: 1266 },
  ],
  width: 1600,
  height: 900,
  center: [807, 490], // below the middle, as in nuScenes
  lidar: [0.94, 0, 1.84], // above the roof
  wheelBase: 2.7,
  track: 1.5,
};

/** A small robot: three wide pinhole cameras that look ahead and to the sides, 0.6 m above the ground; nothing looks back. */
const THREE_CAMERA: RigPlan = {
  mounts: [
    { channel: 'CAM_FRONT_LEFT', yaw: 65, position: [0.42, 0.16, 0.6], focalLength: 640 },
    { channel: 'CAM_FRONT', yaw: 0, position: [0.48, 0, 0.62], focalLength: 640 },
    { channel: 'CAM_FRONT_RIGHT', yaw: -65, position: [0.42, -0.16, 0.6], focalLength: 640 },
  ],
  width: 1280,
  height: 720,
  center: [639.5, 359.5],
  lidar: [0.25, 0, 0.78],
  wheelBase: 0.5,
  track: 0.4,
};

/** Radians: half of the fisheyes' 190°. */
const FISHEYE_HALF_ANGLE = (95 * Math.PI) / 180;
/** 95° lie 960 pixels from the principal point with the coefficients below: half an image's width. */
const FISHEYE_FOCAL_LENGTH = 564.2;

/** Bumper and mirror cameras of a car. The side cameras have nuScenes' names for cameras that look to the side and back. */
const FOUR_FISHEYE: RigPlan = {
  mounts: [
    { channel: 'CAM_FRONT', yaw: 0, position: [3.6, 0, 0.75], focalLength: FISHEYE_FOCAL_LENGTH },
    { channel: 'CAM_BACK_LEFT', yaw: 90, position: [1.9, 0.98, 1.05], focalLength: FISHEYE_FOCAL_LENGTH },
    { channel: 'CAM_BACK', yaw: 180, position: [-0.95, 0, 0.95], focalLength: FISHEYE_FOCAL_LENGTH },
    { channel: 'CAM_BACK_RIGHT', yaw: -90, position: [1.9, -0.98, 1.05], focalLength: FISHEYE_FOCAL_LENGTH },
  ],
  width: 1920,
  height: 1080,
  center: [959.5, 539.5],
  fisheye: { coefficients: [0.02, -0.006, 0.0008, 0], halfAngle: FISHEYE_HALF_ANGLE },
  lidar: NUSCENES.lidar,
  wheelBase: NUSCENES.wheelBase,
  track: NUSCENES.track,
};

export const RIG_PLANS = {
  nuscenes: NUSCENES,
  'three-camera': THREE_CAMERA,
  'four-fisheye': FOUR_FISHEYE,
} as const satisfies Readonly<Record<string, RigPlan>>;

export type RigName = keyof typeof RIG_PLANS;
export const RIG_NAMES = Object.keys(RIG_PLANS) as readonly RigName[];
