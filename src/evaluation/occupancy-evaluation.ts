import type { VoxelGrid } from '../geometry/voxel-grid.js';
import { ConfusionMatrix } from './confusion-matrix.js';

export interface OccupancyScores {
  readonly miou: number;
  /** By class index; null where a class neither occurs nor is predicted. */
  readonly iou_per_class: readonly (number | null)[];
  readonly occupied_iou: number;
}

/** Scores one grid's predictions, and beside them the best constant prediction. */
export class OccupancyEvaluation {
  readonly grid: VoxelGrid;
  readonly #free: number;
  readonly #matrix: ConfusionMatrix;
  /** How often each voxel had each class where it was visible, `[voxel][class]`. */
  readonly #histogram: Uint16Array;

  constructor(grid: VoxelGrid, classes: number, free: number) {
    this.grid = grid;
    this.#free = free;
    this.#matrix = new ConfusionMatrix(classes);
    this.#histogram = new Uint16Array(grid.size * classes);
  }

  /** One sample: predicted and true classes `[nx][ny][nz]`; only voxels with `mask` ≠ 0 count. */
  add(prediction: Uint8Array, truth: Uint8Array, mask: Uint8Array): void {
    for (const [name, array] of Object.entries({ prediction, truth, mask })) {
      if (array.length !== this.grid.size) {
        throw new RangeError(
          `${name} needs ${this.grid.size} voxels (${this.grid.shape.join('×')}), found ${array.length}`,
        );
      }
    }
    const { classes } = this.#matrix;
    for (let voxel = 0; voxel < truth.length; voxel++) {
      if (mask[voxel] === 0) continue;
      this.#matrix.add(truth[voxel]!, prediction[voxel]!);
      this.#histogram[voxel * classes + truth[voxel]!]! += 1;
    }
  }

  scores(): OccupancyScores {
    return this.#scoresOf(this.#matrix);
  }

  /**
   * Scores of always predicting each voxel's most frequent class. The frequencies are those of the very samples that are scored, which
   * favours the prior: no constant prediction learned elsewhere does better per voxel.
   */
  priorScores(): OccupancyScores {
    const { classes } = this.#matrix;
    const matrix = new ConfusionMatrix(classes);
    for (let voxel = 0; voxel < this.grid.size; voxel++) {
      const counts = this.#histogram.subarray(voxel * classes, (voxel + 1) * classes);
      const prediction = counts.indexOf(Math.max(...counts));
      counts.forEach((count, truth) => {
        if (count > 0) matrix.add(truth, prediction, count);
      });
    }
    return this.#scoresOf(matrix);
  }

  #scoresOf(matrix: ConfusionMatrix): OccupancyScores {
    const ious = Array.from({ length: matrix.classes }, (_, index) => matrix.iou(index));
    return {
      miou: matrix.meanIou(this.#free),
      iou_per_class: ious.map((iou) => (Number.isNaN(iou) ? null : iou)),
      occupied_iou: matrix.occupiedIou(this.#free),
    };
  }
}
