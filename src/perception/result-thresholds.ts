import type { PerceptionResult } from './types.js';

export interface ResultThresholds {
  /** Softmax probability below which what a voxel holds is not known, 0 … 1. */
  readonly voxelConfidence: number;
  /** Score below which a box is left out, 0 … 1. */
  readonly detectionScore: number;
}

/**
 * A result without what is too uncertain: an occupied voxel below the threshold becomes unobserved (never free), a box is left out.
 * @param free index of the class that means "nothing there"
 */
export function aboveThresholds(
  result: PerceptionResult,
  { voxelConfidence, detectionScore }: ResultThresholds,
  free: number | undefined,
): PerceptionResult {
  const { occupancy, detections } = result;
  return {
    ...result,
    ...(detections && { detections: detections.filter(({ score }) => score >= detectionScore) }),
    ...(occupancy &&
      voxelConfidence > 0 && {
        occupancy: {
          ...occupancy,
          observed: occupancy.observed.map((seen, voxel) =>
            occupancy.labels[voxel] === free || occupancy.confidence[voxel]! >= voxelConfidence ? seen : 0,
          ),
        },
      }),
  };
}
