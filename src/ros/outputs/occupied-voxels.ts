import { occupiedVoxelsCloud } from '../../messages/occupied-voxels-cloud.js';
import { topicOutput } from './topic-output.js';

export const occupiedVoxels = topicOutput('occupied_voxels', ({ frame, occupancy, selection }) =>
  occupiedVoxelsCloud(frame.result, occupancy, selection.voxelClasses),
);
