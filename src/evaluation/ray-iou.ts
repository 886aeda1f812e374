import type { Vector3 } from '../geometry/rigid-transform.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';
import { lidarRays } from './lidar-rays.js';
import { VoxelWalk } from './voxel-walk.js';

/** Metres by which the depths of prediction and truth may differ. */
const THRESHOLDS = [1, 2, 4] as const;

export interface RayIouScores {
  readonly '1m': number;
  readonly '2m': number;
  readonly '4m': number;
  readonly mean: number;
}

export interface RaySample {
  /** Classes, `[nx][ny][nz]`. */
  readonly prediction: Uint8Array;
  readonly truth: Uint8Array;
  /** Where rays begin, base frame. */
  readonly origins: readonly Vector3[];
  /** 1 where a camera sees the voxel. */
  readonly mask: Uint8Array;
}

/**
 * RayIoU (SparseOcc, arXiv 2312.17118): a lidar's rays go through both grids; each ends in the first occupied voxel, at the depth where
 * it leaves it. A ray is a hit if both ends have the same class and their depths differ by less than the threshold. Per class,
 * IoU = hits ÷ (rays ending in it in truth + in the prediction − hits), over rays that end in truth; the figure is the mean over classes.
 */
export class RayIouEvaluation {
  readonly #grid: VoxelGrid;
  readonly #free: number;
  readonly #rays = lidarRays();
  readonly #all: RayCounts;
  readonly #visible: RayCounts;

  constructor(grid: VoxelGrid, classes: number, free: number) {
    this.#grid = grid;
    this.#free = free;
    this.#all = new RayCounts(classes);
    this.#visible = new RayCounts(classes);
  }

  add({ prediction, truth, origins, mask }: RaySample): void {
    const walk = new VoxelWalk(this.#grid);
    for (const origin of origins) {
      for (let ray = 0; ray < this.#rays.length; ray += 3) {
        walk.start(origin, this.#rays[ray]!, this.#rays[ray + 1]!, this.#rays[ray + 2]!);
        this.#follow(walk, prediction, truth, mask);
      }
    }
  }

  /** Of all rays. */
  scores(): RayIouScores {
    return this.#all.scores(this.#free);
  }

  /** Of the rays whose true end is seen by a camera. */
  visibleScores(): RayIouScores {
    return this.#visible.scores(this.#free);
  }

  #follow(walk: VoxelWalk, prediction: Uint8Array, truth: Uint8Array, mask: Uint8Array): void {
    const free = this.#free;
    let [trueVoxel, trueDepth] = [-1, 0];
    let [predictedVoxel, predictedDepth] = [-1, 0];
    while (walk.isInside && (trueVoxel < 0 || predictedVoxel < 0)) {
      const { voxel } = walk;
      walk.step();
      if (trueVoxel < 0 && truth[voxel] !== free) [trueVoxel, trueDepth] = [voxel, walk.distance];
      if (predictedVoxel < 0 && prediction[voxel] !== free) {
        [predictedVoxel, predictedDepth] = [voxel, walk.distance];
      }
    }
    if (trueVoxel < 0) return;
    const [trueClass, predictedClass] = [
      truth[trueVoxel]!,
      predictedVoxel < 0 ? free : prediction[predictedVoxel]!,
    ];
    const error = Math.abs(trueDepth - predictedDepth);
    this.#all.add(trueClass, predictedClass, error);
    if (mask[trueVoxel] !== 0) this.#visible.add(trueClass, predictedClass, error);
  }
}

class RayCounts {
  readonly #truth: Float64Array;
  readonly #predicted: Float64Array;
  /** By threshold and class. */
  readonly #hits: readonly Float64Array[];

  constructor(classes: number) {
    this.#truth = new Float64Array(classes);
    this.#predicted = new Float64Array(classes);
    this.#hits = THRESHOLDS.map(() => new Float64Array(classes));
  }

  add(truth: number, predicted: number, error: number): void {
    this.#truth[truth]! += 1;
    this.#predicted[predicted]! += 1;
    if (truth !== predicted) return;
    for (let i = 0; i < THRESHOLDS.length; i++) if (error < THRESHOLDS[i]!) this.#hits[i]![truth]! += 1;
  }

  scores(free: number): RayIouScores {
    const means = this.#hits.map((hits) => {
      const ious = Array.from(
        hits,
        (hit, label) => hit / (this.#truth[label]! + this.#predicted[label]! - hit),
      );
      const defined = ious.filter((iou, label) => label !== free && !Number.isNaN(iou));
      return defined.reduce((sum, iou) => sum + iou, 0) / defined.length;
    }) as [number, number, number];
    const [one, two, four] = means;
    return { '1m': one, '2m': two, '4m': four, mean: (one + two + four) / 3 };
  }
}
