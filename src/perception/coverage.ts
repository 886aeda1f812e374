import { isInside } from '../geometry/camera-model.js';
import type { Vector3 } from '../geometry/rigid-transform.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';
import { InputTransform } from './input-transform.js';
import type { NetworkInput } from './input-transform.js';
import type { NetworkView } from './network-views.js';
import { TimeSlices } from './time-slices.js';
import type { RigCamera } from './types.js';

/** One bit a camera in 32-bit words. */
const MAX_CAMERAS = 32;

/**
 * Which of the rig's cameras look at which voxel: bit c of a voxel is set if its centre falls into what the network gets of camera c's
 * image (after the crop). Walls are not considered: a voxel behind one counts as in view.
 *
 * @returns one word a voxel, in the grid's order
 * @throws RangeError for more than 32 cameras
 */
export async function computeCoverage(
  views: readonly NetworkView[],
  grid: VoxelGrid,
  input: NetworkInput,
): Promise<Uint32Array> {
  const cameras = 1 + Math.max(...views.map(({ source }) => source));
  if (cameras > MAX_CAMERAS)
    throw new RangeError(`at most ${MAX_CAMERAS} cameras are possible, found ${cameras}`);
  const coverage = new Uint32Array(grid.size);
  const [nx, ny, nz] = grid.shape;
  const slices = new TimeSlices();
  for (const { source, camera } of views) {
    const isVisible = viewOf(camera, input);
    for (let i = 0; i < nx; i++) {
      for (let j = 0; j < ny; j++) {
        for (let k = 0; k < nz; k++) {
          if (isVisible(grid.center(i, j, k))) coverage[(i * ny + j) * nz + k]! |= 1 << source;
        }
      }
      await slices.next();
    }
  }
  return coverage;
}

function viewOf({ model, baseFromCamera }: RigCamera, input: NetworkInput): (point: Vector3) => boolean {
  const cameraFromBase = baseFromCamera.inverse();
  const transform = new InputTransform(model, input);
  return (point) => {
    const pixel = model.project(cameraFromBase.apply(point));
    return pixel !== undefined && isInside(transform.toInput(pixel), input);
  };
}
