import type { DetectionClass, ModelManifest } from '../../src/engine/manifest.js';
import type { EngineOutput, OutputTensor } from '../../src/engine/types.js';

/** 4 × 3 × 2 voxels of 2 m, 8 × 6 input; two occupancy classes and two of detection. */
export const manifest: ModelManifest & Required<Pick<ModelManifest, 'occupancy' | 'detection'>> = {
  format: 'bdc_occ',
  format_version: 1,
  name: 'test',
  license: 'Apache-2.0',
  training_data: 'none',
  metrics: {},
  input: {
    width: 8,
    height: 6,
    cameras: 2,
    camera_names: ['front', 'rear'],
    mean: [0, 0, 0],
    std: [1, 1, 1],
  },
  grid: { min: [-4, -3, 0], max: [4, 3, 4], shape: [4, 3, 2] },
  occupancy: {
    classes: [
      { name: 'manmade', color: [1, 2, 3], traversable: false },
      { name: 'free', color: [0, 0, 0], traversable: true },
    ],
    free: 1,
  },
  detection: {
    classes: [detectionClass('car', 1), detectionClass('pedestrian', 1)],
    score_threshold: 0.1,
    nms_threshold: 0.2,
    max_candidates: 500,
  },
  graph: { inputs: [], operations: [], outputs: {} },
};

export function detectionClass(name: string, nms_scale: number): DetectionClass {
  return { name, color: [255, 0, 0], nms_scale };
}

export function engineOutput(tensors: Readonly<Record<string, OutputTensor>>): EngineOutput {
  return {
    tensors: new Map(Object.entries(tensors)),
    milliseconds: { image_encoder: 1, view_transformer: 2, bev_encoder: 3, heads: 4 },
    operations: [],
  };
}

export const occupancyTensors = (label = 1): Readonly<Record<string, OutputTensor>> => ({
  occupancy_labels: { shape: [1, 4, 3, 2], data: new Uint8Array(24).fill(label) },
  occupancy_confidence: { shape: [1, 4, 3, 2], data: new Float32Array(24).fill(0.5) },
});

/** Maps of the centre head without any object. */
export function emptyDetectionMaps(
  classes: number,
  rows: number,
  columns: number,
): Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }> {
  const map = (channels: number, value: number) => ({
    shape: [1, channels, rows, columns],
    data: new Float32Array(channels * rows * columns).fill(value),
  });
  return {
    heatmap: map(classes, -20),
    reg: map(2, 0.5),
    height: map(1, 0),
    dim: map(3, 0),
    rot: map(2, 0),
    vel: map(2, 0),
  };
}
