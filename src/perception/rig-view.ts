import type { CameraRig } from './types.js';

/** A rig and what its cameras see of the grid. */
export class RigView {
  readonly rig: CameraRig;
  /** A bit for each camera of the rig that looks at a voxel, in the grid's order. */
  readonly coverage: Uint32Array;
  /** Of the cameras that were live last: that hardly ever changes. */
  #observed: { readonly mask: number; readonly voxels: Uint8Array } | undefined;

  /** @param coverage a bit for each camera that looks at a voxel, as `computeCoverage` gives */
  constructor(rig: CameraRig, coverage: Uint32Array) {
    this.rig = rig;
    this.coverage = coverage;
  }

  /** 1 for each voxel in view of a live camera, in the grid's order; the same array again for the same cameras. */
  observedBy(liveCameras: readonly boolean[]): Uint8Array {
    const mask = liveCameras.reduce((bits, isLive, camera) => (isLive ? bits | (1 << camera) : bits), 0);
    if (this.#observed?.mask !== mask) {
      const voxels = new Uint8Array(this.coverage.length);
      for (let i = 0; i < voxels.length; i++) voxels[i] = (this.coverage[i]! & mask) === 0 ? 0 : 1;
      this.#observed = { mask, voxels };
    }
    return this.#observed.voxels;
  }
}
