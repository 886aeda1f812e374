import type { DetectionClass } from '../engine/manifest.js';
import type { Detection, PerceptionResult } from '../perception/types.js';
import type { Detection3DArray, Header, MarkerArray, Pose } from './ros-types.js';
import { CUBE, DELETE_ALL, marker, TEXT_VIEW_FACING } from './marker.js';
import { timeFromNs } from './stamp.js';

const BOX_OPACITY = 0.5;
const TEXT_HEIGHT_M = 0.6;

/** `class_id` is the class's name. The vision_msgs have no place for the velocity. */
export function detection3DArray(
  result: PerceptionResult,
  classes: readonly DetectionClass[],
): Detection3DArray {
  const header = headerOf(result);
  const covariance = new Float64Array(36);
  return {
    header,
    detections: requireDetections(result).map((detection) => {
      const center = poseOf(detection);
      const [x, y, z] = detection.size;
      return {
        header,
        results: [
          {
            hypothesis: { class_id: classes[detection.label]!.name, score: detection.score },
            pose: { pose: center, covariance },
          },
        ],
        bbox: { center, size: { x, y, z } },
        id: '',
      };
    }),
  };
}

/** A see-through box and a line of text for each detection; what was shown before is deleted first. */
export function boxMarkers(result: PerceptionResult, classes: readonly DetectionClass[]): MarkerArray {
  const header = headerOf(result);
  const boxes = requireDetections(result).flatMap((detection, id) => {
    const { name, color } = classes[detection.label]!;
    const [r, g, b] = color.map((value) => value / 255) as [number, number, number];
    const pose = poseOf(detection);
    const [x, y, z] = detection.size;
    const above = pose.position.z + z / 2 + TEXT_HEIGHT_M;
    return [
      marker(header, {
        ns: 'boxes',
        id,
        type: CUBE,
        pose,
        scale: { x, y, z },
        color: { r, g, b, a: BOX_OPACITY },
      }),
      marker(header, {
        ns: 'labels',
        id,
        type: TEXT_VIEW_FACING,
        pose: { ...pose, position: { ...pose.position, z: above } },
        scale: { x: 0, y: 0, z: TEXT_HEIGHT_M },
        color: { r, g, b, a: 1 },
        text: `${name} ${Math.round(detection.score * 100)} %`,
      }),
    ];
  });
  return { markers: [marker(header, { action: DELETE_ALL }), ...boxes] };
}

function requireDetections({ detections }: PerceptionResult): readonly Detection[] {
  if (detections === undefined)
    throw new TypeError('the model has no detection head: there are no boxes to send');
  return detections;
}

const headerOf = ({ stamp, frameId }: PerceptionResult): Header => ({
  stamp: timeFromNs(stamp),
  frame_id: frameId,
});

const poseOf = ({ position: [x, y, z], yaw }: Detection): Pose => ({
  position: { x, y, z },
  orientation: { x: 0, y: 0, z: Math.sin(yaw / 2), w: Math.cos(yaw / 2) },
});
