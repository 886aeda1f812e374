import type { ModelManifest } from '../engine/manifest.js';
import type { PerceptionResult } from '../perception/types.js';
import { boxMarkers, detection3DArray } from './detection-messages.js';
import type { MessageCodec } from './message-codec.js';
import { occupancyGrid, type HeightBand } from './occupancy-grid.js';
import { occupiedVoxelsCloud } from './occupied-voxels-cloud.js';

/** What is published of a result: last part of the topic's name, and its type. */
export const RESULT_TYPES = {
  occupied_voxels: 'sensor_msgs/msg/PointCloud2',
  occupancy_grid: 'nav_msgs/msg/OccupancyGrid',
  detections: 'vision_msgs/msg/Detection3DArray',
  markers: 'visualization_msgs/msg/MarkerArray',
} as const;
export type ResultName = keyof typeof RESULT_TYPES;

/** The results that a model has heads for. */
export function resultNames({
  occupancy,
  detection,
}: Pick<ModelManifest, 'occupancy' | 'detection'>): readonly ResultName[] {
  return [
    ...(occupancy ? (['occupied_voxels', 'occupancy_grid'] as const) : []),
    ...(detection ? (['detections', 'markers'] as const) : []),
  ];
}

/** Makes the messages of results, as CDR bytes. */
export class ResultEncoder {
  readonly #codec: MessageCodec;
  readonly #manifest: Pick<ModelManifest, 'occupancy' | 'detection'>;
  readonly #band: HeightBand;

  constructor(
    codec: MessageCodec,
    manifest: Pick<ModelManifest, 'occupancy' | 'detection'>,
    band: HeightBand,
  ) {
    this.#codec = codec;
    this.#manifest = manifest;
    this.#band = band;
  }

  /** @param name one of `resultNames(manifest)` */
  encode(name: ResultName, result: PerceptionResult): Uint8Array {
    const { occupancy, detection } = this.#manifest;
    switch (name) {
      case 'occupied_voxels':
        return this.#codec.encode(RESULT_TYPES[name], occupiedVoxelsCloud(result, occupancy!));
      case 'occupancy_grid':
        return this.#codec.encode(RESULT_TYPES[name], occupancyGrid(result, occupancy!, this.#band));
      case 'detections':
        return this.#codec.encode(RESULT_TYPES[name], detection3DArray(result, detection!.classes));
      case 'markers':
        return this.#codec.encode(RESULT_TYPES[name], boxMarkers(result, detection!.classes));
    }
  }
}
