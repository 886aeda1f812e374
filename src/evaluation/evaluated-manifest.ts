import { DETECTION_CLASSES, OCC3D_CLASSES, OCC3D_GRID } from '../dataset/occ3d.js';
import type { ModelManifest } from '../engine/manifest.js';
import { BdcError } from '../errors.js';

export type EvaluatedManifest = ModelManifest & Required<Pick<ModelManifest, 'occupancy'>>;

/**
 * The manifest of a model that can be scored with the labels of nuScenes and Occ3D.
 * @throws BdcError `MODEL_WITHOUT_OCCUPANCY`, `MODEL_GRID_NOT_OCC3D`, `MODEL_CLASSES_NOT_OCC3D`
 */
export function checkedManifest(manifest: ModelManifest): EvaluatedManifest {
  const { occupancy, detection, grid, name } = manifest;
  const fault = (code: string, message: string) =>
    new BdcError('model', { code, message: `${name} ${message}` });
  if (occupancy === undefined) throw fault('MODEL_WITHOUT_OCCUPANCY', 'has no occupancy head to evaluate');
  const isDivided = [0, 1, 2].every((axis) => {
    const factor = OCC3D_GRID.shape[axis]! / grid.shape[axis]!;
    const sameRange =
      Math.abs(grid.min[axis]! - OCC3D_GRID.min[axis]!) < 1e-6 &&
      Math.abs(grid.max[axis]! - OCC3D_GRID.max[axis]!) < 1e-6;
    return sameRange && Number.isInteger(factor);
  });
  if (!isDivided) {
    throw fault(
      'MODEL_GRID_NOT_OCC3D',
      `predicts ${grid.shape.join('×')} voxels over [${grid.min.join(', ')}]…[${grid.max.join(', ')}] m; Occ3D's labels score grids over ` +
        `[${OCC3D_GRID.min.join(', ')}]…[${OCC3D_GRID.max.join(', ')}] m that divide ${OCC3D_GRID.shape.join('×')}`,
    );
  }
  const names = occupancy.classes.map((known) => known.name);
  if (names.join() !== OCC3D_CLASSES.join()) {
    throw fault(
      'MODEL_CLASSES_NOT_OCC3D',
      `has the classes ${names.join(', ')}; Occ3D's are ${OCC3D_CLASSES.join(', ')}`,
    );
  }
  const unknown = detection?.classes.find(
    (known) => !DETECTION_CLASSES.some((other) => other === known.name),
  );
  if (unknown !== undefined) {
    throw fault(
      'MODEL_CLASSES_NOT_OCC3D',
      `detects ${unknown.name}; the classes of nuScenes are ${DETECTION_CLASSES.join(', ')}`,
    );
  }
  return { ...manifest, occupancy };
}
