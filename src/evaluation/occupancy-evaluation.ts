import type { VoxelGrid } from '../geometry/voxel-grid.js';
import { ConfusionMatrix } from './confusion-matrix.js';

export interface OccupancyScores {
  readonly miou: number;
  /** By class index; null where a class neither occurs nor is predicted. */
  readonly iou_per_class: readonly (number | null)[];
  readonly occupied_iou: number;
  /** Of the voxels above the ground alone; null if there was none that is occupied or predicted to be. */
  readonly occupied_iou_above_ground: number | null;
}

/** Scores one grid's predictions, and beside them the best constant prediction. */
export class OccupancyEvaluation {
  readonly grid: VoxelGrid;
  readonly #free: number;
  readonly #matrix: ConfusionMatrix;
  readonly #above: ConfusionMatrix;
  /** How often each voxel had each class where it counted, `[voxel][class]`. */
  readonly #histogram: Uint16Array;
  /** How often each voxel was free, and how often occupied, where it counted and was above the ground, `[voxel][2]`. */
  readonly #aboveHistogram: Uint16Array;

  constructor(grid: VoxelGrid, classes: number, free: number) {
    this.grid = grid;
    this.#free = free;
    this.#matrix = new ConfusionMatrix(classes);
    this.#above = new ConfusionMatrix(classes);
    this.#histogram = new Uint16Array(grid.size * classes);
    this.#aboveHistogram = new Uint16Array(grid.size * 2);
  }

  /** Confusions of all voxels that counted: row = true class, column = predicted class. */
  get confusion(): readonly (readonly number[])[] {
    return this.#matrix.rows;
  }

  /**
   * One sample: predicted and true classes `[nx][ny][nz]`; only voxels with `mask` ≠ 0 count.
   * @param aboveGround 1 for the voxels above the ground, same order
   */
  add(prediction: Uint8Array, truth: Uint8Array, mask: Uint8Array, aboveGround?: Uint8Array): void {
    for (const [name, array] of Object.entries({ prediction, truth, mask, aboveGround })) {
      if (array !== undefined && array.length !== this.grid.size) {
        throw new RangeError(
          `${name} needs ${this.grid.size} voxels (${this.grid.shape.join('×')}), found ${array.length}`,
        );
      }
    }
    const { classes } = this.#matrix;
    for (let voxel = 0; voxel < truth.length; voxel++) {
      if (mask[voxel] === 0) continue;
      const [label, predicted] = [truth[voxel]!, prediction[voxel]!];
      this.#matrix.add(label, predicted);
      this.#histogram[voxel * classes + label]! += 1;
      if (aboveGround?.[voxel] === 1) {
        this.#above.add(label, predicted);
        this.#aboveHistogram[voxel * 2 + (label === this.#free ? 0 : 1)]! += 1;
      }
    }
  }

  scores(): OccupancyScores {
    return this.#scoresOf(this.#matrix, this.#above);
  }

  /**
   * Scores of always predicting each voxel's most frequent class. The frequencies are those of the very samples that are scored, which
   * favours the prior: no constant prediction learned elsewhere does better per voxel.
   */
  priorScores(): OccupancyScores {
    const { classes } = this.#matrix;
    const matrix = new ConfusionMatrix(classes);
    const above = new ConfusionMatrix(classes);
    const anyOccupied = this.#free === 0 ? 1 : 0;
    this.prior().forEach((prediction, voxel) => {
      for (let truth = 0; truth < classes; truth++) {
        const count = this.#histogram[voxel * classes + truth]!;
        if (count > 0) matrix.add(truth, prediction, count);
      }
      above.add(this.#free, prediction, this.#aboveHistogram[voxel * 2]);
      above.add(anyOccupied, prediction, this.#aboveHistogram[voxel * 2 + 1]);
    });
    return this.#scoresOf(matrix, above);
  }

  /** The constant prediction: each voxel's most frequent class, the lowest on a tie; free where it never counted. */
  prior(): Uint8Array {
    const { classes } = this.#matrix;
    return Uint8Array.from({ length: this.grid.size }, (_, voxel) => {
      let best = 0;
      for (let label = 1; label < classes; label++) {
        if (this.#histogram[voxel * classes + label]! > this.#histogram[voxel * classes + best]!)
          best = label;
      }
      return best;
    });
  }

  #scoresOf(matrix: ConfusionMatrix, above: ConfusionMatrix): OccupancyScores {
    const ious = Array.from({ length: matrix.classes }, (_, index) => matrix.iou(index));
    const occupiedAbove = above.occupiedIou(this.#free);
    return {
      miou: matrix.meanIou(this.#free),
      iou_per_class: ious.map((iou) => (Number.isNaN(iou) ? null : iou)),
      occupied_iou: matrix.occupiedIou(this.#free),
      occupied_iou_above_ground: Number.isNaN(occupiedAbove) ? null : occupiedAbove,
    };
  }
}
