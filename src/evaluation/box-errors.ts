import type { DetectionName, TruePositiveError } from './detection-config.js';

/** A box in the global frame, with the fields of a nuScenes submission: metres, m/s. */
export interface EvaluatedBox {
  readonly translation: readonly [number, number, number];
  /** Width, length, height. */
  readonly size: readonly [number, number, number];
  /** Quaternion w, x, y, z. */
  readonly rotation: readonly [number, number, number, number];
  /** NaN where it is not known. */
  readonly velocity: readonly [number, number];
  readonly detection_name: DetectionName;
  /** Empty if there is none. */
  readonly attribute_name: string;
}

export type BoxErrors = Readonly<Record<TruePositiveError, number>>;

export function centerDistance(a: EvaluatedBox, b: EvaluatedBox): number {
  return Math.hypot(a.translation[0] - b.translation[0], a.translation[1] - b.translation[1]);
}

/** How far a matched prediction is off, as nuscenes-devkit defines it; NaN where the truth does not tell. */
export function boxErrors(truth: EvaluatedBox, prediction: EvaluatedBox): BoxErrors {
  return {
    trans_err: centerDistance(truth, prediction),
    scale_err: 1 - alignedIou(truth.size, prediction.size),
    orient_err: yawDifference(truth, prediction),
    vel_err: Math.hypot(
      prediction.velocity[0] - truth.velocity[0],
      prediction.velocity[1] - truth.velocity[1],
    ),
    attr_err: truth.attribute_name === '' ? NaN : truth.attribute_name === prediction.attribute_name ? 0 : 1,
  };
}

/** IoU of two boxes laid upon each other with equal centre and heading. */
function alignedIou(a: EvaluatedBox['size'], b: EvaluatedBox['size']): number {
  const both = Math.min(a[0], b[0]) * Math.min(a[1], b[1]) * Math.min(a[2], b[2]);
  return both / (a[0] * a[1] * a[2] + b[0] * b[1] * b[2] - both);
}

/** Of a barrier nobody can say which side is its front: its heading is known up to half a turn. */
function yawDifference(truth: EvaluatedBox, prediction: EvaluatedBox): number {
  const period = truth.detection_name === 'barrier' ? Math.PI : 2 * Math.PI;
  const difference = yawOf(truth.rotation) - yawOf(prediction.rotation) + period / 2;
  return Math.abs(difference - period * Math.floor(difference / period) - period / 2);
}

function yawOf([w, x, y, z]: EvaluatedBox['rotation']): number {
  return Math.atan2(2 * (x * y + w * z), w * w + x * x - y * y - z * z);
}
