import type { NetworkView } from './network-views.js';
import type { CameraRig } from './types.js';
import { VirtualCamera } from './virtual-camera.js';

/** A rig, what the network gets of it, and what its cameras see of the grid. */
export class RigView {
  readonly rig: CameraRig;
  readonly views: readonly NetworkView[];
  /** A bit for each camera of the rig that looks at a voxel, in the grid's order. */
  readonly coverage: Uint32Array;
  /** Of the cameras that were live last: that hardly ever changes. */
  #observed: { readonly mask: number; readonly voxels: Uint8Array } | undefined;

  /** @param coverage a bit for each camera that looks at a voxel, as `computeCoverage` gives */
  constructor(rig: CameraRig, views: readonly NetworkView[], coverage: Uint32Array) {
    this.rig = rig;
    this.views = views;
    this.coverage = coverage;
  }

  /** How many of the network's cameras are virtual. */
  get virtualCameras(): number {
    return this.views.filter(({ camera }) => camera.model instanceof VirtualCamera).length;
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
