import type { ModelManifest } from '../engine/manifest.js';
import type { HeightBand } from '../messages/occupancy-grid.js';
import type { ResultThresholds } from '../perception/result-thresholds.js';
import { didYouMean } from './nearest-name.js';
import { ALL_CLASSES, NON_TRAVERSABLE } from './node-parameters.js';
import type { ParameterValue } from './parameter-declaration.js';

type Values = ReadonlyMap<string, ParameterValue>;
type Heads = Pick<ModelManifest, 'occupancy' | 'detection'>;

/** What of a result is published, as the parameters that may change at run time say now. */
export interface ResultSelection {
  readonly heightBand: HeightBand;
  readonly thresholds: ResultThresholds;
  /** Undefined: those that the model calls neither free nor traversable. */
  readonly obstacles: ReadonlySet<number> | undefined;
  /** Undefined: all. */
  readonly voxelClasses: ReadonlySet<number> | undefined;
  /** Undefined: all. */
  readonly detectionClasses: ReadonlySet<number> | undefined;
  readonly freeSpaceBeams: number;
}

/** @throws RangeError for a class that the model does not have */
export function resultSelection(values: Values, { occupancy, detection }: Heads): ResultSelection {
  const labels = (
    parameter: string,
    all: string,
    classes: readonly { readonly name: string }[] | undefined,
  ): ReadonlySet<number> | undefined => {
    const names = values.get(parameter) as readonly string[];
    if (classes === undefined || names.includes(all)) return undefined;
    const known = classes.map(({ name }) => name);
    return new Set(names.map((name) => labelOf(parameter, name, known, all)));
  };
  return {
    heightBand: {
      min: values.get('grid_min_height') as number,
      max: values.get('grid_max_height') as number,
    },
    thresholds: {
      voxelConfidence: values.get('voxel_confidence') as number,
      detectionScore: values.get('detection_score') as number,
    },
    obstacles: labels('grid_obstacle_classes', NON_TRAVERSABLE, occupancy?.classes),
    voxelClasses: labels('voxel_classes', ALL_CLASSES, occupancy?.classes),
    detectionClasses: labels('detection_classes', ALL_CLASSES, detection?.classes),
    freeSpaceBeams: values.get('free_space_beams') as number,
  };
}

function labelOf(parameter: string, name: string, known: readonly string[], all: string): number {
  const label = known.indexOf(name);
  if (label >= 0) return label;
  throw new RangeError(
    `parameter ${parameter}: expected "${all}" or classes of the model (${known.join(', ')}), ` +
      `found ${JSON.stringify(name)}${didYouMean(name, [...known, all])}`,
  );
}
