import { voxelMarkers } from '../../messages/voxel-markers.js';
import { topicOutput } from './topic-output.js';

export const voxelMarkersOutput = topicOutput('voxel_markers', ({ frame, occupancy, selection }) =>
  voxelMarkers(frame.result, occupancy, selection.voxelClasses),
);
