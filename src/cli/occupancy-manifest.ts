import type { ModelManifest } from '../engine/manifest.js';
import { BdcError } from '../errors.js';

export type OccupancyManifest = ModelManifest & Required<Pick<ModelManifest, 'occupancy'>>;

/** The manifest of a model that predicts occupancy. @throws BdcError `MODEL_WITHOUT_OCCUPANCY` for another model's */
export function occupancyManifest(manifest: ModelManifest): OccupancyManifest {
  const { occupancy, name } = manifest;
  if (occupancy === undefined) {
    throw new BdcError('model', {
      code: 'MODEL_WITHOUT_OCCUPANCY',
      message: `${name} has no occupancy head to evaluate`,
    });
  }
  return { ...manifest, occupancy };
}
