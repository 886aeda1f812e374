import { isInside, type CameraModel, type Pixel } from '../geometry/camera-model.js';
import type { Intrinsics } from '../geometry/intrinsics.js';
import { PinholeCamera } from '../geometry/pinhole-camera.js';
import type { RigidTransform, Vector3 } from '../geometry/rigid-transform.js';

/**
 * A pinhole camera at the place of a real one, turned and with another lens: its image is made of the real one's, exactly, because
 * nothing moves against each other in the image of a camera that only turns. It sees what the real one sees.
 */
export class VirtualCamera implements CameraModel {
  readonly width: number;
  readonly height: number;
  readonly undistorted: Intrinsics;
  readonly #pinhole: PinholeCamera;
  readonly #source: CameraModel;
  readonly #sourceFromVirtual: RigidTransform;

  /** @param sourceFromVirtual a rotation */
  constructor(intrinsics: Intrinsics, source: CameraModel, sourceFromVirtual: RigidTransform) {
    this.width = intrinsics.width;
    this.height = intrinsics.height;
    this.undistorted = intrinsics;
    this.#pinhole = new PinholeCamera(intrinsics);
    this.#source = source;
    this.#sourceFromVirtual = sourceFromVirtual;
  }

  project(point: Vector3): Pixel | undefined {
    return this.#isSeen(point) ? this.#pinhole.project(point) : undefined;
  }

  unproject(pixel: Pixel): Vector3 | undefined {
    const ray = this.#pinhole.unproject(pixel)!;
    return this.#isSeen(ray) ? ray : undefined;
  }

  /** Where in the real camera's image a pixel of this one's is; undefined where the real camera doesn't see it. */
  sourcePixel(pixel: Pixel): Pixel | undefined {
    return this.#inSource(this.#pinhole.unproject(pixel)!);
  }

  #isSeen(point: Vector3): boolean {
    return this.#inSource(point) !== undefined;
  }

  #inSource(point: Vector3): Pixel | undefined {
    const pixel = this.#source.project(this.#sourceFromVirtual.rotate(point));
    return pixel && isInside(pixel, this.#source) ? pixel : undefined;
  }
}
