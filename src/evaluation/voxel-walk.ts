import type { Vector3 } from '../geometry/rigid-transform.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';

/**
 * The voxels that a ray goes through, one after the other (Amanatides & Woo, "A fast voxel traversal algorithm for ray tracing", 1987).
 * One object serves many rays: nothing is allocated per ray.
 */
export class VoxelWalk {
  readonly #grid: VoxelGrid;
  #i = 0;
  #j = 0;
  #k = 0;
  #stepI = 1;
  #stepJ = 1;
  #stepK = 1;
  /** Metres along the ray to the next border in each axis, and from border to border. */
  #nextX = 0;
  #nextY = 0;
  #nextZ = 0;
  #deltaX = 0;
  #deltaY = 0;
  #deltaZ = 0;
  #distance = 0;

  constructor(grid: VoxelGrid) {
    this.#grid = grid;
  }

  /** Begins a ray in a direction of length 1; it must begin within the grid, else `isInside` is false at once. */
  start([x, y, z]: Vector3, dx: number, dy: number, dz: number): void {
    const { min, cellSize } = this.#grid;
    const [sx, sy, sz] = cellSize;
    this.#i = Math.floor((x - min[0]) / sx);
    this.#j = Math.floor((y - min[1]) / sy);
    this.#k = Math.floor((z - min[2]) / sz);
    this.#stepI = dx >= 0 ? 1 : -1;
    this.#stepJ = dy >= 0 ? 1 : -1;
    this.#stepK = dz >= 0 ? 1 : -1;
    this.#nextX = dx === 0 ? Infinity : (min[0] + (this.#i + (dx > 0 ? 1 : 0)) * sx - x) / dx;
    this.#nextY = dy === 0 ? Infinity : (min[1] + (this.#j + (dy > 0 ? 1 : 0)) * sy - y) / dy;
    this.#nextZ = dz === 0 ? Infinity : (min[2] + (this.#k + (dz > 0 ? 1 : 0)) * sz - z) / dz;
    this.#deltaX = Math.abs(sx / dx);
    this.#deltaY = Math.abs(sy / dy);
    this.#deltaZ = Math.abs(sz / dz);
    this.#distance = 0;
  }

  get isInside(): boolean {
    const { shape } = this.#grid;
    return (
      this.#i >= 0 &&
      this.#j >= 0 &&
      this.#k >= 0 &&
      this.#i < shape[0] &&
      this.#j < shape[1] &&
      this.#k < shape[2]
    );
  }

  /** Index of the voxel that the ray is in. */
  get voxel(): number {
    const { shape } = this.#grid;
    return (this.#i * shape[1] + this.#j) * shape[2] + this.#k;
  }

  /** Metres from the origin to where the ray entered this voxel: also where it left the one before. */
  get distance(): number {
    return this.#distance;
  }

  step(): void {
    if (this.#nextX < this.#nextY && this.#nextX < this.#nextZ) {
      this.#distance = this.#nextX;
      this.#i += this.#stepI;
      this.#nextX += this.#deltaX;
    } else if (this.#nextY <= this.#nextX && this.#nextY < this.#nextZ) {
      this.#distance = this.#nextY;
      this.#j += this.#stepJ;
      this.#nextY += this.#deltaY;
    } else {
      this.#distance = this.#nextZ;
      this.#k += this.#stepK;
      this.#nextZ += this.#deltaZ;
    }
  }
}
