import type { Vector3 } from './rigid-transform.js';

/** An axis-aligned grid in the base frame; voxel (i, j, k) has index `(i · ny + j) · nz + k`, Occ3D's order. */
export class VoxelGrid {
  readonly min: Vector3;
  readonly max: Vector3;
  readonly shape: Vector3;
  /** Edge lengths of a voxel in metres. */
  readonly cellSize: Vector3;
  /** Number of voxels. */
  readonly size: number;

  constructor({
    min,
    max,
    shape,
  }: {
    readonly min: Vector3;
    readonly max: Vector3;
    readonly shape: Vector3;
  }) {
    this.min = min;
    this.max = max;
    this.shape = shape;
    this.cellSize = [
      (max[0] - min[0]) / shape[0],
      (max[1] - min[1]) / shape[1],
      (max[2] - min[2]) / shape[2],
    ];
    this.size = shape[0] * shape[1] * shape[2];
  }

  /** Centre of voxel (i, j, k) in metres. */
  center(i: number, j: number, k: number): Vector3 {
    return [
      this.min[0] + (i + 0.5) * this.cellSize[0],
      this.min[1] + (j + 0.5) * this.cellSize[1],
      this.min[2] + (k + 0.5) * this.cellSize[2],
    ];
  }

  /** Index of the voxel that holds a point, or undefined outside the grid. */
  indexOf([x, y, z]: Vector3): number | undefined {
    const i = Math.floor((x - this.min[0]) / this.cellSize[0]);
    const j = Math.floor((y - this.min[1]) / this.cellSize[1]);
    const k = Math.floor((z - this.min[2]) / this.cellSize[2]);
    const inside = i >= 0 && j >= 0 && k >= 0 && i < this.shape[0] && j < this.shape[1] && k < this.shape[2];
    return inside ? (i * this.shape[1] + j) * this.shape[2] + k : undefined;
  }
}
