import type { CameraModel, Pixel } from './camera-model.js';
import type { FisheyeDistortion } from './fisheye-distortion.js';
import type { Intrinsics } from './intrinsics.js';
import type { Vector3 } from './rigid-transform.js';

/**
 * Equidistant camera. In front of the camera it is OpenCV's `fisheye::projectPoints`; it goes on beyond 90° off axis (OpenCV stops
 * there) as far as the lens's domain does. Such pixels have no ray with z = 1.
 */
export class FisheyeCamera implements CameraModel {
  readonly width: number;
  readonly height: number;
  readonly #intrinsics: Intrinsics;
  readonly #distortion: FisheyeDistortion;

  constructor(intrinsics: Intrinsics, distortion: FisheyeDistortion) {
    this.width = intrinsics.width;
    this.height = intrinsics.height;
    this.#intrinsics = intrinsics;
    this.#distortion = distortion;
  }

  project([x, y, z]: Vector3): Pixel | undefined {
    const { fx, fy, cx, cy } = this.#intrinsics;
    const offAxis = Math.hypot(x, y);
    if (offAxis === 0) return z > 0 ? [cx, cy] : undefined;
    const radius = this.#distortion.radius(Math.atan2(offAxis, z));
    if (radius === undefined) return undefined;
    return [cx + fx * radius * (x / offAxis), cy + fy * radius * (y / offAxis)];
  }

  unproject([u, v]: Pixel): Vector3 | undefined {
    const { fx, fy, cx, cy } = this.#intrinsics;
    const [x, y] = [(u - cx) / fx, (v - cy) / fy];
    const radius = Math.hypot(x, y);
    if (radius === 0) return [0, 0, 1];
    const angle = this.#distortion.angle(radius);
    if (angle === undefined || angle >= Math.PI / 2) return undefined;
    const scale = Math.tan(angle) / radius;
    return [x * scale, y * scale, 1];
  }
}
