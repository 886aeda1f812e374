import type { Vector3 } from '../geometry/rigid-transform.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';
import { CLEARANCE } from './above-ground.js';
import { VoxelWalk } from './voxel-walk.js';

/** What a LiDAR scan tells of a voxel: nothing, that a ray went through it and none ended there, or that one ended there. */
export const LidarState = { unknown: 0, free: 1, hit: 2 } as const;

/** Borders of the range bands: metres from the base frame's origin on the ground plane. */
const BORDERS = [0, 10, 20, 30, 40] as const;
/** Metres from the LiDAR on the ground plane, below which a return is of the vehicle itself: the ground comes into its view later. */
const OWN_RETURNS = 2.5;

/**
 * The state of each voxel after one scan.
 * @param points `[n, 3]`, base frame
 * @param origin of the rays: the LiDAR, which must be within the grid
 */
export function lidarStates(grid: VoxelGrid, points: Float32Array, origin: Vector3): Uint8Array {
  const states = new Uint8Array(grid.size);
  const walk = new VoxelWalk(grid);
  for (let i = 0; i < points.length; i += 3) {
    const [dx, dy, dz] = [0, 1, 2].map((axis) => points[i + axis]! - origin[axis]!) as [
      number,
      number,
      number,
    ];
    if (!(Math.hypot(dx, dy) >= OWN_RETURNS)) continue;
    const range = Math.hypot(dx, dy, dz);
    walk.start(origin, dx / range, dy / range, dz / range);
    for (;;) {
      if (!walk.isInside) break;
      const { voxel } = walk;
      walk.step();
      if (walk.distance >= range) {
        states[voxel] = LidarState.hit;
        break;
      }
      if (states[voxel] === LidarState.unknown) states[voxel] = LidarState.free;
    }
  }
  return states;
}

export interface LidarScores {
  /** Voxels in camera view in which a ray ended, and those that rays only went through. */
  readonly hit_voxels: number;
  readonly free_voxels: number;
  /** Of the hit voxels, the share predicted to be occupied; null without any. */
  readonly recall: number | null;
  /** Of the hit and free voxels that are predicted to be occupied, the share that is hit; null without any. */
  readonly precision: number | null;
}

export interface LidarBand {
  /** Metres. */
  readonly from: number;
  readonly to: number;
  readonly all: LidarScores;
  /** Voxels whose bottom is at least 0.4 m above z = 0 of the base frame. */
  readonly above_ground: LidarScores;
}

/**
 * Scores a prediction with a LiDAR scan, in each range band and over all of them.
 * @param isOccupied 1 for the voxels predicted to be occupied
 * @param inView 1 for the voxels that count
 */
export function compareWithLidar(
  grid: VoxelGrid,
  states: Uint8Array,
  isOccupied: Uint8Array,
  inView: Uint8Array,
): { readonly total: LidarBand; readonly by_range: readonly LidarBand[] } {
  const bands = BORDERS.slice(1).map((to, i) => new BandCounts(BORDERS[i]!, to));
  const total = new BandCounts(0, BORDERS.at(-1)!);
  const [nx, ny, nz] = grid.shape;
  for (let voxel = 0; voxel < grid.size; voxel++) {
    if (inView[voxel] === 0 || states[voxel] === LidarState.unknown) continue;
    const k = voxel % nz;
    const [x, y] = grid.center(Math.floor(voxel / (ny * nz)) % nx, Math.floor(voxel / nz) % ny, k);
    const range = Math.hypot(x, y);
    const bottom = grid.min[2] + k * grid.cellSize[2];
    const isAbove = bottom >= CLEARANCE - 1e-6;
    for (const band of [total, bands.find(({ to }) => range < to)]) {
      if (band !== undefined && range < band.to) {
        band.add(states[voxel] === LidarState.hit, isOccupied[voxel] === 1, isAbove);
      }
    }
  }
  return { total: total.scores(), by_range: bands.map((band) => band.scores()) };
}

class BandCounts {
  readonly from: number;
  readonly to: number;
  readonly #all = new Counts();
  readonly #above = new Counts();

  constructor(from: number, to: number) {
    this.from = from;
    this.to = to;
  }

  add(isHit: boolean, isOccupied: boolean, isAbove: boolean): void {
    this.#all.add(isHit, isOccupied);
    if (isAbove) this.#above.add(isHit, isOccupied);
  }

  scores(): LidarBand {
    return { from: this.from, to: this.to, all: this.#all.scores(), above_ground: this.#above.scores() };
  }
}

class Counts {
  #hit = 0;
  #free = 0;
  #found = 0;
  #invented = 0;

  add(isHit: boolean, isOccupied: boolean): void {
    if (isHit) this.#hit++;
    else this.#free++;
    if (!isOccupied) return;
    if (isHit) this.#found++;
    else this.#invented++;
  }

  scores(): LidarScores {
    const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
    return {
      hit_voxels: this.#hit,
      free_voxels: this.#free,
      recall: share(this.#found, this.#hit),
      precision: share(this.#found, this.#found + this.#invented),
    };
  }
}
