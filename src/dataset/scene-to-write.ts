import type { RigidTransform, Vector3 } from '../geometry/rigid-transform.js';
import type { DetectionClass } from './occ3d.js';

/** One recorded scene, as `NuscenesWriter` takes it. Metres, radians, seconds. */
export interface SceneToWrite {
  readonly name: string;
  /** Tokens are made of it: no other scene of any data set has it. */
  readonly identity: string;
  readonly description: string;
  readonly samples: readonly SampleToWrite[];
}

export interface SampleToWrite {
  /** Microseconds. */
  readonly timestamp: number;
  readonly globalFromEgo: RigidTransform;
  readonly cameras: readonly CameraToWrite[];
  readonly lidar: {
    readonly egoFromSensor: RigidTransform;
    /** `[n, 5]`: x, y, z (sensor frame), intensity, ring. */
    readonly points: Float32Array;
  };
  /** Occ3D labels, `[200, 200, 16]` each. */
  readonly semantics: Uint8Array;
  readonly maskLidar: Uint8Array;
  readonly maskCamera: Uint8Array;
  readonly boxes: readonly BoxToWrite[];
}

export interface CameraToWrite {
  /** For example `CAM_FRONT`. */
  readonly channel: string;
  readonly egoFromSensor: RigidTransform;
  /** fx, fy, cx, cy in pixels. */
  readonly intrinsics: readonly [number, number, number, number];
  /** Model and coefficients as in CameraInfo; undefined: none. */
  readonly distortion?: { readonly model: string; readonly coefficients: readonly number[] };
  readonly width: number;
  readonly height: number;
  readonly jpeg: Uint8Array;
}

export interface BoxToWrite {
  /** The same thing has the same number in all samples of the scene. */
  readonly instance: number;
  readonly kind: DetectionClass;
  /** Centre, global frame. */
  readonly center: Vector3;
  /** Length, width, height. */
  readonly size: Vector3;
  readonly yaw: number;
  /** Global frame, m/s. */
  readonly velocity: readonly [number, number];
  readonly hasRider: boolean;
  readonly parked: boolean;
  readonly lidarPoints: number;
  /** Share of the box that the cameras see, 0…1. */
  readonly visibility: number;
}
