import { cameraCoverageCloud } from '../../messages/camera-coverage-cloud.js';
import { topicOutput } from './topic-output.js';
import type { TopicOutput } from './topic-output.js';

/** @param cameras names, in the order of the bits */
export const cameraCoverage = (cameras: readonly string[]): TopicOutput =>
  topicOutput('camera_coverage', ({ frame: { result, view }, selection }) =>
    cameraCoverageCloud(result, {
      coverage: view.coverage,
      bits: view.rig.cameras.map(({ name }) => cameras.indexOf(name)),
      band: selection.heightBand,
    }),
  );
