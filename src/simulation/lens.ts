import type { Pixel } from '../geometry/camera-model.js';
import { FisheyeCamera } from '../geometry/fisheye-camera.js';
import { FisheyeDistortion } from '../geometry/fisheye-distortion.js';
import type { Intrinsics } from '../geometry/intrinsics.js';
import { PinholeCamera } from '../geometry/pinhole-camera.js';
import type { Vector3 } from '../geometry/rigid-transform.js';

/** As CameraInfo names it and orders its coefficients. */
export interface LensDistortion {
  readonly model: 'equidistant';
  readonly coefficients: readonly [number, number, number, number];
}

export interface Projection {
  /** Inside the image or not. */
  readonly pixel: Pixel;
  /** How many lengths of its pixel's ray the point is away; the unit of `RenderedImage.depth`. */
  readonly depth: number;
}

/** How directions become pixels. Points are in the optical frame. */
export interface Lens {
  /** Undefined: none. */
  readonly distortion: LensDistortion | undefined;
  /** What `NativeCamera.cornerRays` wants; undefined where intrinsics say all. */
  readonly cornerRays: Float32Array | undefined;
  /** Undefined where the lens has no image of the point. */
  project(point: Vector3): Projection | undefined;
}

/** Metres: what is nearer to a camera is not in its image. */
const NEAR = 0.1;

/** Perspective without distortion; its rays have z = 1, so depths are along the optical axis. */
export class PinholeLens implements Lens {
  readonly distortion = undefined;
  readonly cornerRays = undefined;
  readonly #model: PinholeCamera;

  constructor(intrinsics: Intrinsics) {
    this.#model = new PinholeCamera(intrinsics);
  }

  project(point: Vector3): Projection | undefined {
    const depth = point[2];
    return depth < NEAR ? undefined : { pixel: this.#model.project(point)!, depth };
  }
}

/** Equidistant lens, which may see more than half of all directions; its rays have unit length. */
export class FisheyeLens implements Lens {
  readonly distortion: LensDistortion;
  readonly #intrinsics: Intrinsics;
  readonly #halfAngle: number;
  readonly #model: FisheyeCamera;
  #cornerRays: Float32Array | undefined;

  /** @param halfAngle radians off the optical axis beyond which the image is black */
  constructor(intrinsics: Intrinsics, coefficients: LensDistortion['coefficients'], halfAngle: number) {
    this.distortion = { model: 'equidistant', coefficients };
    this.#intrinsics = intrinsics;
    this.#halfAngle = halfAngle;
    this.#model = new FisheyeCamera(intrinsics, new FisheyeDistortion(coefficients));
  }

  get cornerRays(): Float32Array {
    return (this.#cornerRays ??= this.#computeCornerRays());
  }

  project(point: Vector3): Projection | undefined {
    const depth = Math.hypot(...point);
    if (depth < NEAR || point[2] < depth * Math.cos(this.#halfAngle)) return undefined;
    const pixel = this.#model.project(point);
    return pixel && { pixel, depth };
  }

  #computeCornerRays(): Float32Array {
    const { width, height, fx, fy, cx, cy } = this.#intrinsics;
    const distortion = new FisheyeDistortion(this.distortion.coefficients);
    const rays = new Float32Array((height + 1) * (width + 1) * 3).fill(NaN);
    for (let row = 0; row <= height; row++) {
      for (let column = 0; column <= width; column++) {
        const [x, y] = [(column - 0.5 - cx) / fx, (row - 0.5 - cy) / fy];
        const radius = Math.hypot(x, y);
        const angle = distortion.angle(radius);
        if (angle === undefined || angle > this.#halfAngle) continue;
        const scale = radius === 0 ? 0 : Math.sin(angle) / radius;
        rays.set([x * scale, y * scale, Math.cos(angle)], (row * (width + 1) + column) * 3);
      }
    }
    return rays;
  }
}
