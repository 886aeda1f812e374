import type { ModuleName } from '../engine/manifest.js';
import type { CameraModel } from '../geometry/camera-model.js';
import type { RigidTransform } from '../geometry/rigid-transform.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';

/** Nanoseconds since the epoch of the clock in use (ROS time). */
export type StampNs = bigint;

/** One image as it came in; decoding happens off the event loop, in the pipeline. */
export type CameraImage =
  | { readonly kind: 'compressed'; readonly stamp: StampNs; readonly data: Uint8Array }
  | {
      readonly kind: 'raw';
      readonly stamp: StampNs;
      readonly width: number;
      readonly height: number;
      /** ROS encoding name, for example `rgb8`. */
      readonly encoding: string;
      /** Bytes per row, padding included. */
      readonly step: number;
      readonly isBigEndian: boolean;
      readonly data: Uint8Array;
    };

export interface RigCamera {
  readonly name: string;
  readonly model: CameraModel;
  /** Takes points of the optical frame (REP-103: x right, y down, z forward) into the base frame. */
  readonly baseFromCamera: RigidTransform;
}

export interface CameraRig {
  /** Frame that voxels and boxes are expressed in, for example `base_link`. */
  readonly baseFrame: string;
  readonly cameras: readonly RigCamera[];
}

/** Where the robot was: takes points of the base frame into a frame that stands still, at one stamp. */
export interface EgoPose {
  /** The frame that stands still, for example `odom`. */
  readonly frameId: string;
  readonly worldFromBase: RigidTransform;
}

/** One set of images, in the rig's order; undefined = that camera has none for this frame. */
export interface CameraFrame {
  /** Stamp of the anchor camera's image: results carry it. */
  readonly stamp: StampNs;
  readonly images: readonly (CameraImage | undefined)[];
  /** At `stamp`; undefined where no source of ego motion is set up, or it had nothing at that time. */
  readonly egoPose?: EgoPose;
}

export interface Occupancy {
  readonly grid: VoxelGrid;
  /** Class of each voxel, `[nx][ny][nz]` row-major (Occ3D's order). */
  readonly labels: Uint8Array;
  /** Softmax probability of that class, same order. */
  readonly confidence: Float32Array;
  /**
   * 1 where the voxel's centre lies in what the network got of a live camera's image (after the crop), same order. Whether something
   * stands between is not considered.
   */
  readonly observed: Uint8Array;
}

/** A box in the base frame: metres, radians, m/s. */
export interface Detection {
  /** Index into the manifest's detection classes. */
  readonly label: number;
  readonly score: number;
  /** Centre of the box. */
  readonly position: readonly [number, number, number];
  /** Length (x), width (y), height (z) in the box's own frame. */
  readonly size: readonly [number, number, number];
  /** About +z, 0 = facing +x. */
  readonly yaw: number;
  readonly velocity: readonly [number, number];
}

/**
 * Why a network that keeps history had to do without it: there was no frame before; the last one failed; time did not advance, or too far;
 * the pose of one of both is not known; it is of other frames; it jumped; the cameras are others, for a network that compares their images.
 */
export type HistoryReset =
  'first' | 'failed' | 'time_jump' | 'gap' | 'no_pose' | 'frame_changed' | 'teleport' | 'cameras_changed';

export interface FrameTimings {
  /** Milliseconds. */
  readonly preprocess: number;
  readonly modules: Readonly<Record<ModuleName, number>>;
  readonly decode: number;
  readonly total: number;
}

export interface PerceptionResult {
  readonly stamp: StampNs;
  readonly frameId: string;
  /** Per rig camera: whether its image was used. */
  readonly liveCameras: readonly boolean[];
  /** That of the frame. */
  readonly egoPose?: EgoPose;
  readonly occupancy?: Occupancy;
  readonly detections?: readonly Detection[];
  /** Of a network that keeps the previous frame's features: whether this frame used them, or why not. */
  readonly history?: 'used' | HistoryReset;
  readonly timings: FrameTimings;
}
