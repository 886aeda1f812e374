import { ISAS } from '../engine/types.js';
import { VIRTUAL_CAMERA_MODES } from '../perception/network-views.js';
import { OUTPUT_NAMES, OUTPUTS } from './outputs/output-table.js';
import type { ParameterDeclaration } from './parameter-declaration.js';
import { DEFAULT_QOS, DURABILITIES, QOS_KEYS, RELIABILITIES } from './topic-qos.js';
import type { QosKey } from './topic-qos.js';

/** Stands for every class of the model. */
export const ALL_CLASSES = 'all';
/** Stands for the classes that the model calls neither free nor traversable. */
export const NON_TRAVERSABLE = 'non_traversable';

const MILLISECONDS = [0, 10_000] as const;
const FRACTION = [0, 1] as const;
const RATE = [0, 1000] as const;
const HEIGHT = [-100, 100] as const;

const GENERAL = [
  {
    name: 'autostart',
    type: 'boolean',
    defaultValue: true,
    description: 'Configures and activates the node at start; false: a lifecycle manager does',
    readOnly: true,
  },
  {
    name: 'base_frame',
    type: 'string',
    defaultValue: 'base_link',
    description: 'Frame of the results (REP-105): x forward, y left, z up',
    readOnly: true,
  },
  {
    name: 'virtual_cameras',
    type: 'string',
    defaultValue: 'auto',
    description:
      'Shows the network the world as cameras like those that it was trained with see it; auto: where the rig looks otherwise',
    readOnly: true,
    choices: VIRTUAL_CAMERA_MODES,
  },
  {
    name: 'model',
    type: 'string',
    defaultValue: '',
    description:
      'Model file (.safetensors), read by "configure" and ~/reload_model; empty: the one that is shipped',
    readOnly: false,
  },
  {
    name: 'threads',
    type: 'integer',
    defaultValue: 0,
    description: 'Native threads that compute, from the next time the model is read on; 0: one for each core',
    readOnly: false,
    range: [0, 256],
  },
  {
    name: 'thread_affinity',
    type: 'string',
    defaultValue: '',
    description:
      'Cores that the native threads are pinned to, in turn, such as 0,2-3; empty: one each if there is a thread for every core, else not pinned. With threads 0: one thread for each of them',
    readOnly: true,
  },
  {
    name: 'thread_nice',
    type: 'integer',
    defaultValue: 0,
    description: 'Nice value of the native threads, -20 (first) to 19; 0: as the process',
    readOnly: true,
    range: [-20, 19],
  },
  {
    name: 'thread_realtime_priority',
    type: 'integer',
    defaultValue: 0,
    description:
      'Priority of the native threads under SCHED_FIFO, where thread_nice means nothing; 0: not under SCHED_FIFO',
    readOnly: true,
    range: [0, 99],
  },
  {
    name: 'isa',
    type: 'string',
    defaultValue: '',
    description:
      'Instruction set of the kernels, from the next time the model is read on; empty: the best that the CPU has',
    readOnly: false,
    choices: ['', ...ISAS],
  },
  {
    name: 'jpeg_half_scale',
    type: 'boolean',
    defaultValue: true,
    description:
      "Decodes JPEGs of four times the network's input or more at half their size: faster, half a grey level off",
    readOnly: true,
  },
  {
    name: 'save_frame_directory',
    type: 'string',
    defaultValue: '',
    description: 'Folder for the bags of ~/save_frame; empty: $ROS_HOME/bdc_occ, else ~/.ros/bdc_occ',
    readOnly: false,
  },
] as const;

const CAMERAS = [
  {
    name: 'cameras',
    type: 'string_array',
    defaultValue: ['front', 'front_left', 'front_right', 'back', 'back_left', 'back_right'],
    description:
      'Names of the cameras, as many as the model takes or fewer; each has the parameters camera.<name>.…',
    readOnly: true,
  },
  {
    name: 'anchor_camera',
    type: 'string',
    defaultValue: '',
    description:
      'Camera whose images make a frame and whose stamps the results carry, while it is alive; empty: the first of cameras',
    readOnly: true,
  },
  {
    name: 'max_spread_ms',
    type: 'double',
    defaultValue: 60,
    description: "How far another camera's image may be from the anchor's in time, in milliseconds",
    readOnly: true,
    range: MILLISECONDS,
  },
  {
    name: 'max_wait_ms',
    type: 'double',
    defaultValue: 60,
    description:
      "How long a frame waits for late cameras after the anchor's image came, and then for late transforms and poses, in milliseconds",
    readOnly: true,
    range: MILLISECONDS,
  },
  {
    name: 'camera_timeout_ms',
    type: 'double',
    defaultValue: 1000,
    description:
      'Silence after which a camera counts as dead and is masked, in milliseconds; it is back with its next image',
    readOnly: true,
    range: [10, 60_000],
  },
] as const;

const EGO_MOTION = [
  {
    name: 'ego_motion.source',
    type: 'string',
    defaultValue: 'none',
    description:
      'Where the pose of the robot comes from that frames carry: an odometry topic, or TF from odom_frame to base_frame',
    readOnly: true,
    choices: ['none', 'odometry', 'tf'],
  },
  {
    name: 'ego_motion.odom_topic',
    type: 'string',
    defaultValue: 'odom',
    description: 'Topic of nav_msgs/Odometry, whose child_frame_id is base_frame',
    readOnly: true,
  },
  {
    name: 'ego_motion.odom_frame',
    type: 'string',
    defaultValue: 'odom',
    description: 'Frame that stands still while the robot moves, for source tf',
    readOnly: true,
  },
  {
    name: 'ego_motion.history_s',
    type: 'double',
    defaultValue: 10,
    description: 'How far back poses and transforms are kept, in seconds',
    readOnly: true,
    range: [0.1, 600],
  },
] as const;

const RESULTS = [
  {
    name: 'grid_min_height',
    type: 'double',
    defaultValue: 0.2,
    description: "Lower end of the robot's height band in the grid, metres above base_frame's origin",
    readOnly: false,
    range: HEIGHT,
  },
  {
    name: 'grid_max_height',
    type: 'double',
    defaultValue: 2,
    description: "Upper end of the robot's height band in the grid, metres above base_frame's origin",
    readOnly: false,
    range: HEIGHT,
  },
  {
    name: 'grid_obstacle_classes',
    type: 'string_array',
    defaultValue: [NON_TRAVERSABLE],
    description: `Classes that are obstacles in the grid and for ~/free_space; ${NON_TRAVERSABLE}: all that the model calls so`,
    readOnly: false,
  },
  {
    name: 'voxel_confidence',
    type: 'double',
    defaultValue: 0,
    description: 'Probability of the class below which what an occupied voxel holds is unknown, 0 to 1',
    readOnly: false,
    range: FRACTION,
  },
  {
    name: 'voxel_classes',
    type: 'string_array',
    defaultValue: [ALL_CLASSES],
    description: `Classes in ~/occupied_voxels and ~/voxel_markers; ${ALL_CLASSES}: every one but free`,
    readOnly: false,
  },
  {
    name: 'voxel_groups',
    type: 'string_array',
    defaultValue: ['vehicles', 'vulnerable', 'ground', 'structure'],
    description: 'Groups of classes with a topic ~/voxels_by_class/<group> each',
    readOnly: true,
  },
  {
    name: 'detection_score',
    type: 'double',
    defaultValue: 0,
    description:
      "Score below which boxes are left out, 0 to 1; what is below the model's own threshold never comes",
    readOnly: false,
    range: FRACTION,
  },
  {
    name: 'detection_classes',
    type: 'string_array',
    defaultValue: [ALL_CLASSES],
    description: `Classes in ~/detections and ~/markers; ${ALL_CLASSES}: every one`,
    readOnly: false,
  },
  {
    name: 'free_space_beams',
    type: 'integer',
    defaultValue: 360,
    description: 'Directions in ~/free_space, evenly around the robot',
    readOnly: false,
    range: [4, 7200],
  },
] as const;

const HEALTH = [
  {
    name: 'diagnostics_period_s',
    type: 'double',
    defaultValue: 1,
    description: 'Time between messages on /diagnostics and ~/statistics, in seconds',
    readOnly: true,
    range: [0.1, 60],
  },
  {
    name: 'overrun_limit',
    type: 'integer',
    defaultValue: 10,
    description:
      'Frames dropped for lack of time, without a pause in between, that make the WARN of /diagnostics an ERROR',
    readOnly: false,
    range: [1, 100_000],
  },
] as const;

const outputParameters = OUTPUT_NAMES.flatMap(
  (name) =>
    [
      {
        name: `outputs.${name}.enabled`,
        type: 'boolean',
        defaultValue: true,
        description: 'Whether the output is published',
        readOnly: false,
        group: 'Outputs',
      },
      {
        name: `outputs.${name}.max_rate`,
        type: 'double',
        defaultValue: OUTPUTS[name].maxRate,
        description: 'Messages a second at most; 0: each frame',
        readOnly: false,
        range: RATE,
        group: 'Outputs',
      },
    ] as const satisfies readonly ParameterDeclaration[],
);

const qosParameters = QOS_KEYS.flatMap(
  (key: QosKey) =>
    [
      {
        name: `qos.${key}.reliability`,
        type: 'string',
        defaultValue: DEFAULT_QOS[key].reliability,
        description: 'Reliability of the topic',
        readOnly: true,
        choices: RELIABILITIES,
        group: 'Quality of service',
      },
      {
        name: `qos.${key}.durability`,
        type: 'string',
        defaultValue: DEFAULT_QOS[key].durability,
        description: 'Durability of the topic; transient_local: late subscribers get the last messages',
        readOnly: true,
        choices: DURABILITIES,
        group: 'Quality of service',
      },
      {
        name: `qos.${key}.depth`,
        type: 'integer',
        defaultValue: DEFAULT_QOS[key].depth,
        description: 'How many messages are kept',
        readOnly: true,
        range: [1, 1000],
        group: 'Quality of service',
      },
    ] as const satisfies readonly ParameterDeclaration[],
);

const grouped = <T extends object>(group: string, declarations: readonly T[]) =>
  declarations.map((declaration) => ({ ...declaration, group }));

/** Every parameter of the node but those of single cameras and groups of classes. config/bdc_occ.yaml is written from it. */
export const NODE_PARAMETERS: readonly ParameterDeclaration[] = [
  ...grouped('General', GENERAL),
  ...grouped('Cameras', CAMERAS),
  ...grouped('Ego motion', EGO_MOTION),
  ...grouped('Results', RESULTS),
  ...grouped('Health', HEALTH),
  ...outputParameters,
  ...qosParameters,
];

const TRANSPORTS = ['raw', 'compressed'] as const;
export type ImageTransport = (typeof TRANSPORTS)[number];

/** The parameters of one camera: their names depend on the value of `cameras`. */
export const cameraParameters = (camera: string) =>
  [
    {
      name: `camera.${camera}.image_topic`,
      type: 'string',
      defaultValue: `camera/${camera}/image_raw/compressed`,
      description: 'Topic of its images: sensor_msgs/CompressedImage or Image, as transport says',
      readOnly: true,
      group: 'Each camera',
    },
    {
      name: `camera.${camera}.info_topic`,
      type: 'string',
      defaultValue: `camera/${camera}/camera_info`,
      description: 'Topic of its sensor_msgs/CameraInfo; not subscribed with a calibration_file',
      readOnly: true,
      group: 'Each camera',
    },
    {
      name: `camera.${camera}.transport`,
      type: 'string',
      defaultValue: 'compressed',
      description: 'Message type of its images: raw (Image) or compressed (CompressedImage)',
      readOnly: true,
      choices: TRANSPORTS,
      group: 'Each camera',
    },
    {
      name: `camera.${camera}.optical_frame`,
      type: 'string',
      defaultValue: '',
      description:
        'Its optical frame (REP-103: z forward); empty: the frame_id of its CameraInfo, or of its images with a calibration_file',
      readOnly: true,
      group: 'Each camera',
    },
    {
      name: `camera.${camera}.calibration_file`,
      type: 'string',
      defaultValue: '',
      description: 'Calibration in the format of camera_info_manager (YAML); empty: from info_topic',
      readOnly: true,
      group: 'Each camera',
    },
  ] as const satisfies readonly ParameterDeclaration[];

const DEFAULT_GROUPS: Readonly<Record<string, readonly string[]>> = {
  vehicles: ['car', 'truck', 'bus', 'trailer', 'construction_vehicle'],
  vulnerable: ['pedestrian', 'bicycle', 'motorcycle'],
  ground: ['driveable_surface', 'other_flat', 'sidewalk', 'terrain'],
  structure: ['manmade', 'vegetation', 'barrier', 'traffic_cone', 'others'],
};

/** The parameter of one group of classes: its name depends on the value of `voxel_groups`. */
export const groupParameter = (group: string) =>
  ({
    name: `voxel_group.${group}`,
    type: 'string_array',
    defaultValue: DEFAULT_GROUPS[group] ?? [],
    description: 'Classes of the model in this group; those that the model does not have are left out',
    readOnly: true,
    group: 'Each group of classes',
  }) as const satisfies ParameterDeclaration;
