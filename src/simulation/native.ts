import { createRequire } from 'node:module';
import { BdcError } from '../errors.js';

/** An opaque world of the native ray caster; freed by the garbage collector. */
export type NativeWorld = object & { readonly __nativeWorld: unique symbol };

/** Row-major rotation, then translation: takes points of the sensor's or the ego's frame into the world frame. */
export type PackedPose = Float32Array;

export interface NativeCamera {
  readonly worldFromCamera: PackedPose;
  readonly width: number;
  readonly height: number;
  /** fx, fy, cx, cy. */
  readonly intrinsics?: Float32Array;
  /** `[height + 1, width + 1, 3]`: unit directions at the pixels' corners, for other lenses; NaN: nothing is seen there. */
  readonly cornerRays?: Float32Array;
  readonly samplesPerPixel: number;
  /** Exposure, white balance (R, G, B), deviation of the noise (0…1 scale), vignette, blur (0…1). */
  readonly sensor: Float32Array;
  /** Of jitter and noise, below 2³². */
  readonly seed: number;
}

export interface RenderedImage {
  /** `[height, width, 3]`. */
  readonly rgb: Uint8Array;
  /**
   * `[height, width]`, metres to what is seen at the pixel's centre: along the optical axis with `intrinsics`, along the ray with
   * `cornerRays`; Infinity: sky.
   */
  readonly depth: Float32Array;
  /** `[height, width]`, Occ3D class at the pixel's centre; 17: sky. */
  readonly labels: Uint8Array;
  /** `[height, width]`, actor index, −1: none. */
  readonly actors: Int32Array;
}

export interface RenderedScan {
  /** `[n, 5]`: x, y, z in the lidar frame, intensity 0…255, ring. */
  readonly points: Float32Array;
  readonly labels: Uint8Array;
  readonly actors: Int32Array;
}

export interface RenderedVoxels {
  /** `[nx, ny, nz]` each. */
  readonly semantics: Uint8Array;
  readonly maskCamera: Uint8Array;
  readonly maskLidar: Uint8Array;
}

/** native/addon/simulation_binding.cc: every call computes on libuv's threads. */
export interface NativeSimulation {
  buildWorld(options: {
    readonly primitives: Float32Array;
    readonly roads: Float32Array;
    readonly patches: Float32Array;
    readonly ground: Float32Array;
    /** `[side, side]`, y before x, metres. */
    readonly heights: Float32Array;
    readonly environment: Float32Array;
  }): Promise<NativeWorld>;
  renderCamera(options: NativeCamera & { readonly world: NativeWorld }): Promise<RenderedImage>;
  scanLidar(options: {
    readonly world: NativeWorld;
    readonly worldFromLidar: PackedPose;
    readonly rings: number;
    readonly columns: number;
    /** `[rings, columns, 3]`, unit vectors. */
    readonly directions: Float32Array;
    readonly seed: number;
  }): Promise<RenderedScan>;
  voxelize(options: {
    readonly world: NativeWorld;
    readonly worldFromEgo: PackedPose;
    /** Minimum, cell size, shape. */
    readonly grid: Float32Array;
    readonly cameras: readonly (NativeCamera & { readonly depth: Float32Array })[];
    readonly worldFromLidar: PackedPose;
    readonly points: Float32Array;
  }): Promise<RenderedVoxels>;
}

const ADDON = '../../build/native/Release/bdc_occ.node';

/** @throws BdcError environment `ADDON_NOT_BUILT` */
export function loadNativeSimulation(): NativeSimulation {
  try {
    const addon = createRequire(import.meta.url)(ADDON) as { readonly simulation: NativeSimulation };
    return addon.simulation;
  } catch (cause) {
    throw new BdcError('environment', {
      code: 'ADDON_NOT_BUILT',
      message: `the native addon could not be loaded (${(cause as Error).message}); build it with: npm run build:native`,
      cause,
    });
  }
}
