import type { ModelManifest } from '../engine/manifest.js';
import type { EngineOutput } from '../engine/types.js';
import { VoxelGrid } from '../geometry/voxel-grid.js';
import { invalidOutput, outputData } from './output-tensors.js';
import type { Occupancy } from './types.js';

/** Makes `Occupancy` of the outputs `occupancy_labels` and `occupancy_confidence`. */
export class OccupancyDecoder {
  readonly #grid: VoxelGrid;
  readonly #classes: number;

  constructor(manifest: Pick<ModelManifest, 'grid'> & Required<Pick<ModelManifest, 'occupancy'>>) {
    this.#grid = new VoxelGrid(manifest.grid);
    this.#classes = manifest.occupancy.classes.length;
  }

  /**
   * @param observed 1 where a live camera looks, in the grid's order
   * @throws BdcError `MODEL_OUTPUT_INVALID`
   */
  decode(output: EngineOutput, observed: Uint8Array): Occupancy {
    const shape = [1, ...this.#grid.shape];
    const labels = outputData(output, 'occupancy_labels', Uint8Array, shape);
    const confidence = outputData(output, 'occupancy_confidence', Float32Array, shape);
    for (let voxel = 0; voxel < labels.length; voxel++) {
      if (labels[voxel]! < this.#classes) continue;
      throw invalidOutput(
        'occupancy_labels',
        `must hold classes below ${this.#classes}, found ${labels[voxel]} at voxel ${voxel}`,
      );
    }
    return { grid: this.#grid, labels, confidence, observed };
  }
}
