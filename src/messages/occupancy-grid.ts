import { BdcError } from '../errors.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';
import type { PerceptionResult } from '../perception/types.js';
import { requireOccupancy, type OccupancyLabels } from './occupied-voxels-cloud.js';
import type { OccupancyGrid } from './ros-types.js';
import { timeFromNs } from './stamp.js';

/** Values of nav_msgs/OccupancyGrid. */
export const UNKNOWN = -1;
export const FREE = 0;
export const OCCUPIED = 100;

/** Heights in the base frame, metres: what a robot would run into. */
export interface HeightBand {
  readonly min: number;
  readonly max: number;
}

/** The first layer of voxels that reaches into a band of heights, and the one behind the last. */
export function layersOf(grid: VoxelGrid, band: HeightBand): readonly [number, number] {
  const [bottom, height] = [grid.min[2], grid.cellSize[2]];
  // a billionth of a voxel, so that one which touches the band by rounding only does not count
  return [
    Math.max(0, Math.floor((band.min - bottom) / height + 1e-9)),
    Math.min(grid.shape[2], Math.ceil((band.max - bottom) / height - 1e-9)),
  ];
}

/**
 * The voxels seen from above, as nav_msgs lays it out: `data[y · width + x]`, x and y along the axes of the base frame, origin at the
 * corner of cell (0, 0). A cell is occupied if any voxel that reaches into the height band is observed and holds an obstacle; free if some
 * voxel of the band is observed and none is such; else unknown.
 *
 * @param obstacles classes that are obstacles; default: those that are neither free nor traversable
 */
export function occupancyGrid(
  result: PerceptionResult,
  { classes, free }: OccupancyLabels,
  band: HeightBand,
  obstacles?: ReadonlySet<number>,
): OccupancyGrid {
  const { grid, labels, observed } = requireOccupancy(result);
  const [nx, ny, nz] = grid.shape;
  const [dx, dy] = grid.cellSize;
  if (Math.abs(dx - dy) > 1e-6 * dx) {
    throw new BdcError('model', {
      code: 'GRID_NOT_SQUARE',
      message: `an OccupancyGrid has square cells, found voxels of ${dx} × ${dy} m`,
    });
  }
  const [first, last] = layersOf(grid, band);
  const isObstacle = classes.map(({ traversable }, label) =>
    obstacles === undefined ? label !== free && !traversable : label !== free && obstacles.has(label),
  );

  const data = new Int8Array(nx * ny).fill(UNKNOWN);
  for (let i = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++) {
      const column = (i * ny + j) * nz;
      for (let index = column + first; index < column + last; index++) {
        if (observed[index] !== 1) continue;
        const cell = j * nx + i;
        data[cell] = FREE;
        if (!isObstacle[labels[index]!]) continue;
        data[cell] = OCCUPIED;
        break;
      }
    }
  }
  const stamp = timeFromNs(result.stamp);
  return {
    header: { stamp, frame_id: result.frameId },
    info: {
      map_load_time: stamp,
      resolution: dx,
      width: nx,
      height: ny,
      origin: {
        position: { x: grid.min[0], y: grid.min[1], z: 0 },
        orientation: { x: 0, y: 0, z: 0, w: 1 },
      },
    },
    data,
  };
}
