import type { CameraModel, Pixel } from './camera-model.js';
import type { Intrinsics } from './intrinsics.js';
import type { PolynomialDistortion } from './polynomial-distortion.js';
import type { Vector3 } from './rigid-transform.js';

/** Perspective camera, with a distorted lens or without; what OpenCV's `projectPoints` computes. */
export class PinholeCamera implements CameraModel {
  readonly width: number;
  readonly height: number;
  readonly undistorted?: Intrinsics;
  readonly #intrinsics: Intrinsics;
  readonly #distortion: PolynomialDistortion | undefined;

  constructor(intrinsics: Intrinsics, distortion?: PolynomialDistortion) {
    this.width = intrinsics.width;
    this.height = intrinsics.height;
    this.#intrinsics = intrinsics;
    this.#distortion = distortion;
    if (distortion === undefined) this.undistorted = intrinsics;
  }

  project([x, y, z]: Vector3): Pixel | undefined {
    if (!(z > 0)) return undefined;
    const { fx, fy, cx, cy } = this.#intrinsics;
    if (this.#distortion === undefined) return [fx * (x / z) + cx, fy * (y / z) + cy];
    const distorted = this.#distortion.distort(x / z, y / z);
    return distorted && [fx * distorted[0] + cx, fy * distorted[1] + cy];
  }

  unproject([u, v]: Pixel): Vector3 | undefined {
    const { fx, fy, cx, cy } = this.#intrinsics;
    const [x, y] = [(u - cx) / fx, (v - cy) / fy];
    if (this.#distortion === undefined) return [x, y, 1];
    const undistorted = this.#distortion.undistort(x, y);
    return undistorted && [undistorted[0], undistorted[1], 1];
  }
}
