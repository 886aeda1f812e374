/** Counts of (true class, predicted class) pairs, and the IoU figures that follow from them. */
export class ConfusionMatrix {
  readonly classes: number;
  /** Row = true class, column = predicted class. */
  readonly #counts: Float64Array;

  constructor(classes: number) {
    this.classes = classes;
    this.#counts = new Float64Array(classes * classes);
  }

  /** Adds `count` voxels of class `truth` that were predicted as `prediction`. */
  add(truth: number, prediction: number, count = 1): void {
    if (truth >= this.classes || prediction >= this.classes) {
      throw new RangeError(
        `classes go from 0 to ${this.classes - 1}, found truth ${truth}, prediction ${prediction}`,
      );
    }
    this.#counts[truth * this.classes + prediction]! += count;
  }

  /** Counts; row = true class, column = predicted class. */
  get rows(): readonly (readonly number[])[] {
    return Array.from({ length: this.classes }, (_, truth) => [
      ...this.#counts.subarray(truth * this.classes, (truth + 1) * this.classes),
    ]);
  }

  /** Intersection over union of a class; NaN if it neither occurs nor is predicted. */
  iou(index: number): number {
    let row = 0;
    let column = 0;
    for (let other = 0; other < this.classes; other++) {
      row += this.#counts[index * this.classes + other]!;
      column += this.#counts[other * this.classes + index]!;
    }
    const both = this.#counts[index * this.classes + index]!;
    return both / (row + column - both);
  }

  /** Mean IoU over every class but `free`, classes without any voxel left out (Occ3D's nan-mean). */
  meanIou(free: number): number {
    const ious = Array.from({ length: this.classes }, (_, index) => this.iou(index)).filter(
      (iou, index) => index !== free && !Number.isNaN(iou),
    );
    return ious.reduce((sum, iou) => sum + iou, 0) / ious.length;
  }

  /** IoU of "occupied by anything" against `free`. */
  occupiedIou(free: number): number {
    let both = 0;
    let either = 0;
    for (let truth = 0; truth < this.classes; truth++) {
      for (let prediction = 0; prediction < this.classes; prediction++) {
        const count = this.#counts[truth * this.classes + prediction]!;
        if (truth !== free || prediction !== free) either += count;
        if (truth !== free && prediction !== free) both += count;
      }
    }
    return both / either;
  }
}
