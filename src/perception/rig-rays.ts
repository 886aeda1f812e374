import type { RigRays } from '../engine/types.js';
import { InputTransform } from './input-transform.js';
import type { NetworkInput } from './input-transform.js';
import type { NetworkView } from './network-views.js';

/**
 * Where each feature cell of each view looks, as docs/model-format.md defines it for `lift_splat`: pixel of the network input → pixel
 * of the camera image → ray through the lens → base frame.
 *
 * @param featureSize `[height, width]` of the feature maps
 */
export function computeRigRays(
  views: readonly NetworkView[],
  input: NetworkInput,
  featureSize: readonly [number, number],
): RigRays {
  const [h, w] = featureSize;
  const rays = new Float32Array(views.length * h * w * 3).fill(NaN);
  const origins = new Float32Array(views.length * 3);
  views.forEach(({ camera: { model, baseFromCamera }, depthScale }, view) => {
    const transform = new InputTransform(model, input);
    origins.set(baseFromCamera.translation, view * 3);
    for (let row = 0; row < h; row++) {
      for (let column = 0; column < w; column++) {
        const pixel = [spaced(input.width, w, column), spaced(input.height, h, row)] as const;
        const ray = model.unproject(transform.toImage(pixel));
        if (ray === undefined) continue;
        const metres = baseFromCamera.rotate(ray).map((length) => length * depthScale);
        rays.set(metres, ((view * h + row) * w + column) * 3);
      }
    }
  });
  return { cameras: views.length, rays, origins };
}

/** `linspace(0, length − 1, count)[i]`. */
const spaced = (length: number, count: number, i: number): number =>
  count === 1 ? 0 : (i * (length - 1)) / (count - 1);
