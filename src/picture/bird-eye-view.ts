import type { Rgb } from '../engine/manifest.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';
import { FREE, mix, UNKNOWN, UNKNOWN_HATCH } from './theme.js';
import type { PictureClass, PicturePanel } from './types.js';

/** RGB bytes, `[height, width, 3]`. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;
}

export type PicturePoint = readonly [number, number];

/** How metres of the base frame become pixels of a bird's-eye view: x goes up, y to the left. */
export class BirdEyeView {
  readonly width: number;
  readonly height: number;
  readonly #grid: VoxelGrid;
  readonly #cellPixels: number;

  /** @param targetWidth pixels; the width is the nearest that gives each cell a whole number */
  constructor(grid: VoxelGrid, targetWidth: number) {
    const [nx, ny] = grid.shape;
    this.#grid = grid;
    this.#cellPixels = Math.max(1, Math.round(targetWidth / ny));
    this.width = ny * this.#cellPixels;
    this.height = Math.round((nx * this.#cellPixels * grid.cellSize[0]) / grid.cellSize[1]);
  }

  get pixelsPerMetre(): number {
    return this.#cellPixels / this.#grid.cellSize[1];
  }

  toPixel(x: number, y: number): PicturePoint {
    const { max } = this.#grid;
    return [(max[1] - y) * this.pixelsPerMetre, (max[0] - x) * this.pixelsPerMetre];
  }

  /** Voxels and points; boxes and labels are drawn above as vectors. */
  render(panel: PicturePanel, classes: readonly PictureClass[], free: number | undefined): Raster {
    const data = Buffer.alloc(this.width * this.height * 3);
    const colors = panel.occupancy && columnColors(panel.occupancy, classes, free);
    const [nx, ny] = panel.occupancy?.grid.shape ?? this.#grid.shape;
    for (let v = 0; v < this.height; v++) {
      for (let u = 0; u < this.width; u++) {
        const i = Math.floor(nx * (1 - (v + 0.5) / this.height));
        const j = Math.floor(ny * (1 - (u + 0.5) / this.width));
        data.set(colors?.[i * ny + j] ?? unknownAt(u, v), (v * this.width + u) * 3);
      }
    }
    if (panel.points !== undefined) this.#drawPoints(data, panel.points);
    return { width: this.width, height: this.height, data };
  }

  #drawPoints(data: Uint8Array, points: Float32Array): void {
    const { min, max } = this.#grid;
    for (let i = 0; i < points.length; i += 3) {
      const [x, y, z] = points.subarray(i, i + 3) as unknown as readonly [number, number, number];
      if (z > max[2]) continue;
      const color = heightColor((z - min[2]) / (max[2] - min[2]));
      const [left, top] = this.toPixel(x, y).map(Math.floor) as [number, number];
      for (const [u, v] of [
        [left, top],
        [left + 1, top],
        [left, top + 1],
        [left + 1, top + 1],
      ] as const) {
        if (u < 0 || v < 0 || u >= this.width || v >= this.height) continue;
        data.set(color, (v * this.width + u) * 3);
      }
    }
  }
}

/** Slanted lines, so that unknown is told from free in grey print too. */
const unknownAt = (u: number, v: number): Rgb => ((u + v) % 12 < 2 ? UNKNOWN_HATCH : UNKNOWN);

/**
 * Colour of each column of voxels, `[nx][ny]`: its topmost voxel that is neither free nor unknown, lighter the higher it is and where it
 * rises towards the light, which comes from the front left; undefined where no voxel of it is observed.
 */
function columnColors(
  { grid, labels, observed }: NonNullable<PicturePanel['occupancy']>,
  classes: readonly PictureClass[],
  free: number | undefined,
): readonly (Rgb | undefined)[] {
  const [nx, ny, nz] = grid.shape;
  const tops = Array.from({ length: nx * ny }, (_, column) => {
    for (let k = nz - 1; k >= 0; k--) {
      const voxel = column * nz + k;
      if (observed[voxel] === 1 && labels[voxel] !== free) return k;
    }
    return -1;
  });
  const isKnown = (column: number): boolean => observed.subarray(column * nz, (column + 1) * nz).includes(1);
  return tops.map((top, column) => {
    if (top < 0) return isKnown(column) ? FREE : undefined;
    const [i, j] = [Math.floor(column / ny), column % ny];
    const lit = i + 1 < nx && j + 1 < ny ? tops[(i + 1) * ny + j + 1]! : top;
    const slope = Math.max(-1, Math.min(1, ((top - lit) * grid.cellSize[2]) / 2));
    const light = 0.3 * (top / nz) - 0.12 + 0.22 * slope;
    const { color } = classes[labels[column * nz + top]!]!;
    return light < 0 ? mix(color, [0, 0, 0], -light) : mix(color, [255, 255, 255], light);
  });
}

/** Blue below, green at half height, yellow at the top of the grid. */
function heightColor(fraction: number): Rgb {
  const bounded = Math.max(0, Math.min(1, fraction));
  return bounded < 0.5
    ? mix([64, 96, 190], [62, 190, 140], bounded * 2)
    : mix([62, 190, 140], [250, 226, 90], bounded * 2 - 1);
}
