import { readOccupiedVoxelsCloud } from '../messages/occupied-voxels-cloud.js';
import type { Detection3DArray, PointCloud2 } from '../messages/ros-types.js';
import type { FrameObservation } from './threshold-run.js';

/** The published results of one frame; a model has one of them at least. */
export interface PublishedFrame {
  readonly cloud: PointCloud2 | undefined;
  readonly detections: Detection3DArray | undefined;
}

/**
 * @param classes names of the model's occupancy classes, by label
 * @param seconds since the first frame of the run
 * @throws BdcError `POINT_CLOUD_INVALID`
 */
export function observe(
  { cloud, detections }: PublishedFrame,
  classes: readonly string[],
  seconds: number,
): FrameObservation {
  return {
    seconds,
    voxels: (cloud === undefined ? [] : readOccupiedVoxelsCloud(cloud)).map(({ x, y, z, label }) => ({
      ...{ x, y, z },
      class: classes[label] ?? `label ${label}`,
    })),
    detections: (detections?.detections ?? []).map(({ bbox, results }) => ({
      ...bbox.center.position,
      class: results[0]?.hypothesis.class_id ?? '',
    })),
  };
}
