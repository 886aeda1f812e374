import { OCCUPIED, UNKNOWN } from './occupancy-grid.js';
import type { LaserScan, OccupancyGrid } from './ros-types.js';

/**
 * How far the robot can go in each direction: the nearest obstacle of an occupancy grid by bearing, seen from the base frame's origin, for
 * planners that take a scan. A range is
 *
 * - the distance to where the ray enters the first occupied cell;
 * - +Infinity where all is free up to `range_max`, the radius of the largest circle in the grid;
 * - NaN where that cannot be said: an unknown cell comes before any obstacle. Unknown cells next to the robot, which no camera can
 *   see, do not count; along a ray without any observed cell there is nothing else.
 */
export function freeSpaceScan({ header, info, data }: OccupancyGrid, beams: number): LaserScan {
  const { resolution, width, height, origin } = info;
  const { x, y } = origin.position;
  const reach = Math.max(0, Math.min(-x, -y, x + width * resolution, y + height * resolution));
  const increment = (2 * Math.PI) / beams;
  const ranges = new Float32Array(beams);
  for (let beam = 0; beam < beams; beam++) {
    const angle = -Math.PI + beam * increment;
    ranges[beam] = rangeAlong([Math.cos(angle), Math.sin(angle)]);
  }
  return {
    header,
    angle_min: -Math.PI,
    angle_max: Math.PI - increment,
    angle_increment: increment,
    time_increment: 0,
    scan_time: 0,
    range_min: 0,
    range_max: reach,
    ranges,
    intensities: new Float32Array(),
  };

  /** Goes from cell to cell along the ray (Amanatides and Woo, "A Fast Voxel Traversal Algorithm", 1987). */
  function rangeAlong(direction: readonly [number, number]): number {
    const cell = [Math.floor(-x / resolution), Math.floor(-y / resolution)] as [number, number];
    const corner = [x, y] as const;
    const step = direction.map((d) => (d >= 0 ? 1 : -1)) as [number, number];
    const perCell = direction.map((d) => (d === 0 ? Infinity : resolution / Math.abs(d))) as [number, number];
    const next = direction.map((d, axis) => {
      const edge = corner[axis]! + (cell[axis]! + (d >= 0 ? 1 : 0)) * resolution;
      return d === 0 ? Infinity : edge / d;
    }) as [number, number];
    let isSeen = false;
    for (let distance = 0; distance < reach;) {
      const value = data[cell[1] * width + cell[0]];
      if (value === OCCUPIED) return distance;
      if (value === UNKNOWN && isSeen) return NaN;
      isSeen ||= value !== UNKNOWN;
      const axis = next[0] < next[1] ? 0 : 1;
      distance = next[axis];
      next[axis] += perCell[axis];
      cell[axis] += step[axis];
    }
    return isSeen ? Infinity : NaN;
  }
}
