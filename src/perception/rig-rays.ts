import type { RigRays } from '../engine/types.js';
import { InputTransform } from './input-transform.js';
import type { NetworkInput } from './input-transform.js';
import type { CameraRig } from './types.js';

/**
 * Where each feature cell of each camera looks, as docs/model-format.md defines it for `lift_splat`: pixel of the network input → pixel
 * of the camera image → ray through the lens → base frame.
 *
 * @param featureSize `[height, width]` of the feature maps
 */
export function computeRigRays(
  rig: CameraRig,
  input: NetworkInput,
  featureSize: readonly [number, number],
): RigRays {
  const [h, w] = featureSize;
  const rays = new Float32Array(rig.cameras.length * h * w * 3).fill(NaN);
  const origins = new Float32Array(rig.cameras.length * 3);
  rig.cameras.forEach(({ model, baseFromCamera }, camera) => {
    const transform = new InputTransform(model, input);
    origins.set(baseFromCamera.translation, camera * 3);
    for (let row = 0; row < h; row++) {
      for (let column = 0; column < w; column++) {
        const pixel = [spaced(input.width, w, column), spaced(input.height, h, row)] as const;
        const ray = model.unproject(transform.toImage(pixel));
        if (ray !== undefined) rays.set(baseFromCamera.rotate(ray), ((camera * h + row) * w + column) * 3);
      }
    }
  });
  return { cameras: rig.cameras.length, rays, origins };
}

/** `linspace(0, length − 1, count)[i]`. */
const spaced = (length: number, count: number, i: number): number =>
  count === 1 ? 0 : (i * (length - 1)) / (count - 1);
