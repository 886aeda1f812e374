import { boxMarkers, detection3DArray } from '../../messages/detection-messages.js';
import type { PerceptionResult } from '../../perception/types.js';
import { topicOutput } from './topic-output.js';
import type { OutputFrame } from './topic-output.js';

/** The result with the boxes of the classes that are wanted. */
function selected({ frame: { result }, selection }: OutputFrame): PerceptionResult {
  const { detectionClasses } = selection;
  if (detectionClasses === undefined) return result;
  return { ...result, detections: result.detections!.filter(({ label }) => detectionClasses.has(label)) };
}

export const detections = topicOutput('detections', (frame) =>
  detection3DArray(selected(frame), frame.detection.classes),
);

export const markers = topicOutput('markers', (frame) =>
  boxMarkers(selected(frame), frame.detection.classes),
);
