import type { OccupancyLabels } from '../../messages/occupied-voxels-cloud.js';
import { occupiedVoxelsCloud } from '../../messages/occupied-voxels-cloud.js';
import { topicOutput } from './topic-output.js';
import type { TopicOutput } from './topic-output.js';

/** A topic for each group; classes that the model does not have are left out, and a group without any of them. */
export function voxelsByClass(
  groups: ReadonlyMap<string, readonly string[]>,
  { classes }: OccupancyLabels,
): readonly TopicOutput[] {
  return [...groups].flatMap(([group, names]) => {
    const labels = new Set(classes.flatMap(({ name }, label) => (names.includes(name) ? [label] : [])));
    if (labels.size === 0) return [];
    return [
      topicOutput(
        'voxels_by_class',
        ({ frame, occupancy }) => occupiedVoxelsCloud(frame.result, occupancy, labels),
        `~/voxels_by_class/${group}`,
      ),
    ];
  });
}
