import type { ModelManifest } from '../../engine/manifest.js';
import type { RosTypeName } from '../../messages/ros-types.js';

/** What the node publishes of a frame: the data that parameters, documentation and publishers are made of. */
export interface OutputDescription {
  readonly type: RosTypeName;
  /** Head of the network that it needs. */
  readonly head: 'occupancy' | 'detection';
  readonly description: string;
  /** Late subscribers get the last message, so it is made whether anybody listens or not. */
  readonly isLatched: boolean;
  /** Messages a second at most; 0: each frame. */
  readonly maxRate: number;
}

export const OUTPUTS = {
  occupied_voxels: {
    type: 'sensor_msgs/msg/PointCloud2',
    head: 'occupancy',
    description:
      'centres of the occupied voxels that a live camera sees: x, y, z, confidence, rgb, label (classes by parameter voxel_classes)',
    isLatched: false,
    maxRate: 0,
  },
  voxels_by_class: {
    type: 'sensor_msgs/msg/PointCloud2',
    head: 'occupancy',
    description:
      'the same points for each group of classes, on a topic of its own: `~/voxels_by_class/<group>`',
    isLatched: false,
    maxRate: 0,
  },
  occupancy_grid: {
    type: 'nav_msgs/msg/OccupancyGrid',
    head: 'occupancy',
    description:
      'seen from above: 100 where an obstacle is seen within the height band, 0 where all that is seen is free, −1 where no live camera looks',
    isLatched: true,
    maxRate: 0,
  },
  detections: {
    type: 'vision_msgs/msg/Detection3DArray',
    head: 'detection',
    description: 'boxes with class name and score',
    isLatched: false,
    maxRate: 0,
  },
  markers: {
    type: 'visualization_msgs/msg/MarkerArray',
    head: 'detection',
    description: 'the same boxes for RViz, each with a line of text',
    isLatched: false,
    maxRate: 0,
  },
  voxel_markers: {
    type: 'visualization_msgs/msg/MarkerArray',
    head: 'occupancy',
    description: 'the occupied voxels as one CUBE_LIST; heavy for RViz, the point cloud shows the same',
    isLatched: false,
    maxRate: 1,
  },
  free_space: {
    type: 'sensor_msgs/msg/LaserScan',
    head: 'occupancy',
    description:
      'nearest obstacle of the grid by bearing, from base_frame: range in metres, +Inf nothing up to range_max, NaN unknown (REP-117)',
    isLatched: false,
    maxRate: 0,
  },
  camera_coverage: {
    type: 'sensor_msgs/msg/PointCloud2',
    head: 'occupancy',
    description:
      'which live cameras look at each cell of the ground plan: x, y, z, rgb (by the first of them), cameras (bit i: the i-th of parameter cameras)',
    isLatched: false,
    maxRate: 1,
  },
} as const satisfies Readonly<Record<string, OutputDescription>>;

export type OutputName = keyof typeof OUTPUTS;
export const OUTPUT_NAMES = Object.keys(OUTPUTS) as readonly OutputName[];

/** The outputs that a model has heads for. */
export const outputsOf = (manifest: Pick<ModelManifest, 'occupancy' | 'detection'>): readonly OutputName[] =>
  OUTPUT_NAMES.filter((name) => manifest[OUTPUTS[name].head] !== undefined);
