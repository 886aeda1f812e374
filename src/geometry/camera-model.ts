import type { Intrinsics } from './intrinsics.js';
import type { Vector3 } from './rigid-transform.js';

export type Pixel = readonly [number, number];

/**
 * A camera: intrinsics and lens distortion of an image of `width × height` pixels. Points are in the optical frame (x right, y down, z
 * forward, metres); pixel (0, 0) is the centre of the top left pixel.
 */
export interface CameraModel {
  readonly width: number;
  readonly height: number;
  /** Of a camera whose images have no distortion. */
  readonly undistorted?: Intrinsics;
  /** Pixel of a point, inside the image or not; undefined where the model has no image of it (behind the camera, say). */
  project(point: Vector3): Pixel | undefined;
  /** Ray of a pixel with z = 1; undefined where the model has none (outside the lens's circle, 90° off axis or more). */
  unproject(pixel: Pixel): Vector3 | undefined;
}

/** Whether a pixel lies in an image; pixels reach half a pixel around their centres. */
export const isInside = (
  [u, v]: Pixel,
  { width, height }: { readonly width: number; readonly height: number },
): boolean => u >= -0.5 && v >= -0.5 && u < width - 0.5 && v < height - 0.5;
