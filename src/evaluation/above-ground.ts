import type { VoxelGrid } from '../geometry/voxel-grid.js';

/** Metres between the local ground and the bottom of the lowest voxel that counts as above it. */
export const CLEARANCE = 0.4;

/**
 * Height of the ground in each column of voxels, `[nx][ny]`, metres in the base frame: the centre of the topmost voxel of the lowest
 * run of flat classes (road, other flat, sidewalk, terrain); a column without any takes the height of the nearest one that has some
 * (4-neighbourhood), 0 if there is none at all.
 */
export function groundHeights(
  grid: VoxelGrid,
  labels: Uint8Array,
  flatClasses: ReadonlySet<number>,
): Float32Array {
  const [nx, ny, nz] = grid.shape;
  const isFlat = Uint8Array.from({ length: 256 }, (_, label) => (flatClasses.has(label) ? 1 : 0));
  const heights = new Float32Array(nx * ny).fill(NaN);
  const queue = new Int32Array(nx * ny);
  let count = 0;
  for (let column = 0; column < nx * ny; column++) {
    let k = 0;
    while (k < nz && isFlat[labels[column * nz + k]!] === 0) k++;
    if (k === nz) continue;
    while (k + 1 < nz && isFlat[labels[column * nz + k + 1]!] === 1) k++;
    heights[column] = grid.min[2] + (k + 0.5) * grid.cellSize[2];
    queue[count++] = column;
  }
  if (count === 0) return heights.fill(0);
  for (let first = 0; first < count; first++) {
    const column = queue[first]!;
    const j = column % ny;
    const neighbours = [
      column >= ny ? column - ny : -1,
      column + ny < nx * ny ? column + ny : -1,
      j > 0 ? column - 1 : -1,
      j + 1 < ny ? column + 1 : -1,
    ];
    for (const neighbour of neighbours) {
      if (neighbour < 0 || !Number.isNaN(heights[neighbour]!)) continue;
      heights[neighbour] = heights[column]!;
      queue[count++] = neighbour;
    }
  }
  return heights;
}

/**
 * 1 where a voxel's bottom is at least `CLEARANCE` above the ground below it.
 * @param heights of the ground in the columns of `ground`, a grid of the same range whose columns divide those of `grid`; the highest
 *     of a column's counts
 */
export function aboveGround(grid: VoxelGrid, ground: VoxelGrid, heights: Float32Array): Uint8Array {
  const [nx, ny, nz] = grid.shape;
  const [bx, by] = [ground.shape[0] / nx, ground.shape[1] / ny];
  const result = new Uint8Array(grid.size);
  for (let i = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++) {
      let height = -Infinity;
      for (let di = 0; di < bx; di++) {
        for (let dj = 0; dj < by; dj++) {
          height = Math.max(height, heights[(i * bx + di) * ground.shape[1] + j * by + dj]!);
        }
      }
      // Heights and borders are multiples of the voxel size up to rounding.
      const lowest = Math.ceil((height + CLEARANCE - grid.min[2]) / grid.cellSize[2] - 1e-4);
      for (let k = Math.max(0, lowest); k < nz; k++) result[(i * ny + j) * nz + k] = 1;
    }
  }
  return result;
}
