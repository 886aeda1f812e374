import type { RigRays } from '../src/engine/types.js';

/**
 * Rays (docs/model-format.md, lift_splat) of `cameras` pinhole cameras that look outwards from a circle of 1 m, 1.5 m above ground,
 * each 70° wide: what a benchmark needs of a rig.
 */
export function ringOfCameras(
  cameras: number,
  [h, w]: readonly [number, number],
  { width, height }: { readonly width: number; readonly height: number },
): RigRays {
  const focal = width / 2 / Math.tan((35 * Math.PI) / 180);
  const rays = new Float32Array(cameras * h * w * 3);
  const origins = new Float32Array(cameras * 3);
  for (let camera = 0; camera < cameras; camera++) {
    const yaw = (2 * Math.PI * camera) / cameras;
    const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)];
    origins.set([cos, sin, 1.5], 3 * camera);
    for (let row = 0; row < h; row++) {
      const down = ((row / Math.max(1, h - 1) - 0.5) * (height - 1)) / focal;
      for (let column = 0; column < w; column++) {
        const right = ((column / Math.max(1, w - 1) - 0.5) * (width - 1)) / focal;
        rays.set([cos + right * sin, sin - right * cos, -down], 3 * ((camera * h + row) * w + column));
      }
    }
  }
  return { cameras, rays, origins };
}
