import { voxelMarkers } from '../../messages/voxel-markers.js';
import type { TopicOutput } from './topic-output.js';

export const voxelMarkersOutput: TopicOutput = {
  name: 'voxel_markers',
  topic: '~/voxel_markers',
  encode: (_codec, { frame, occupancy, selection }) =>
    voxelMarkers(frame.result, occupancy, selection.voxelClasses),
};
