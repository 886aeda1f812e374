import { BdcError } from '../errors.js';
import type { PerceptionResult } from '../perception/types.js';
import { requireOccupancy, type OccupancyLabels } from './occupied-voxels-cloud.js';
import type { OccupancyGrid } from './ros-types.js';
import { timeFromNs } from './stamp.js';

/** Values of nav_msgs/OccupancyGrid. */
const UNKNOWN = -1;
const FREE = 0;
const OCCUPIED = 100;

/** Heights in the base frame, metres: what a robot would run into. */
export interface HeightBand {
  readonly min: number;
  readonly max: number;
}

/**
 * The voxels seen from above, as nav_msgs lays it out: `data[y · width + x]`, x and y along the axes of the base frame, origin at the
 * corner of cell (0, 0). A cell is occupied if any voxel that reaches into the height band is observed and holds a class that is neither
 * free nor traversable; free if some voxel of the band is observed and none is such; else unknown.
 */
export function occupancyGrid(
  result: PerceptionResult,
  { classes, free }: OccupancyLabels,
  band: HeightBand,
): OccupancyGrid {
  const { grid, labels, observed } = requireOccupancy(result);
  const [nx, ny, nz] = grid.shape;
  const [dx, dy, dz] = grid.cellSize;
  if (Math.abs(dx - dy) > 1e-6 * dx) {
    throw new BdcError('model', {
      code: 'GRID_NOT_SQUARE',
      message: `an OccupancyGrid has square cells, found voxels of ${dx} × ${dy} m`,
    });
  }
  // a billionth of a voxel, so that one which touches the band by rounding only does not count
  const first = Math.max(0, Math.floor((band.min - grid.min[2]) / dz + 1e-9));
  const last = Math.min(nz, Math.ceil((band.max - grid.min[2]) / dz - 1e-9));
  const isObstacle = classes.map(({ traversable }, label) => label !== free && !traversable);

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
