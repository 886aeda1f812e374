import { join } from 'node:path';

import { writeAtomically } from '../atomic-file.js';
import { encodeNpz } from '../dataset/npz.js';
import { SubmissionWriter, type SubmissionBox } from '../dataset/nuscenes-submission.js';
import { OCC3D_GRID } from '../dataset/occ3d.js';
import type { EvaluatedSample } from '../evaluation/dataset-evaluation.js';

export interface SubmissionFlags {
  /** File for the boxes, nuScenes' detection format. */
  readonly writeBoxes?: string;
  /** Folder for the voxels, Occ3D's format. */
  readonly writeOccupancy?: string;
}

/** Writes what a network predicted in the official submission formats. */
export class SubmissionOutput {
  readonly #boxes: SubmissionWriter | undefined;
  readonly #folder: string | undefined;

  private constructor(boxes: SubmissionWriter | undefined, folder: string | undefined) {
    this.#boxes = boxes;
    this.#folder = folder;
  }

  /** @throws BdcError `OUTPUT_NOT_WRITABLE` */
  static async open({ writeBoxes, writeOccupancy }: SubmissionFlags): Promise<SubmissionOutput> {
    const boxes = writeBoxes === undefined ? undefined : await SubmissionWriter.open(writeBoxes);
    return new SubmissionOutput(boxes, writeOccupancy);
  }

  async add({ sample: { token }, occ3d }: EvaluatedSample, boxes: readonly SubmissionBox[]): Promise<void> {
    await this.#boxes?.add(token, boxes);
    if (this.#folder === undefined) return;
    // NumPy's savez names an array without a name arr_0: that is how Occ3D's challenge has it.
    const npz = await encodeNpz({ arr_0: { shape: OCC3D_GRID.shape, data: occ3d } });
    await writeAtomically(join(this.#folder, `${token}.npz`), npz);
  }

  /** The boxes' file appears now; of an incomplete run it does not. */
  async end(isComplete: boolean): Promise<void> {
    await (isComplete ? this.#boxes?.close() : this.#boxes?.discard());
  }
}
