import { ISAS } from '../engine/types.js';
import type { ParameterDeclaration } from './parameter-declaration.js';

/** Every parameter of the node but those of single cameras. config/bdc_occ.yaml shows the same names and defaults. */
export const NODE_PARAMETERS = [
  {
    name: 'cameras',
    type: 'string_array',
    defaultValue: ['front', 'front_left', 'front_right', 'back', 'back_left', 'back_right'],
    description:
      'Names of the cameras; each has the parameters camera.<name>.image_topic, .info_topic and .transport',
    readOnly: true,
  },
  {
    name: 'anchor_camera',
    type: 'string',
    defaultValue: '',
    description:
      'Camera whose images make a frame and whose stamps the results carry; empty: the first of cameras',
    readOnly: true,
  },
  {
    name: 'max_spread_ms',
    type: 'double',
    defaultValue: 60,
    description: "How far another camera's image may be from the anchor's in time, in milliseconds",
    readOnly: true,
    range: [0, 10_000],
  },
  {
    name: 'max_wait_ms',
    type: 'double',
    defaultValue: 60,
    description: "How long a frame waits for late cameras after the anchor's image came, in milliseconds",
    readOnly: true,
    range: [0, 10_000],
  },
  {
    name: 'base_frame',
    type: 'string',
    defaultValue: 'base_link',
    description: 'Frame of the results (REP-105): x forward, y left, z up',
    readOnly: true,
  },
  {
    name: 'model',
    type: 'string',
    defaultValue: '',
    description: 'Model file (.safetensors); empty: the one that is shipped',
    readOnly: true,
  },
  {
    name: 'threads',
    type: 'integer',
    defaultValue: 0,
    description: 'Native threads that compute; 0: one for each core',
    readOnly: true,
    range: [0, 256],
  },
  {
    name: 'isa',
    type: 'string',
    defaultValue: '',
    description: 'Instruction set of the kernels; empty: the best that the CPU has',
    readOnly: true,
    choices: ['', ...ISAS],
  },
  {
    name: 'grid_min_height',
    type: 'double',
    defaultValue: 0.2,
    description:
      "Lower end of the robot's height band in the occupancy grid, metres above base_frame's origin",
    readOnly: false,
    range: [-100, 100],
  },
  {
    name: 'grid_max_height',
    type: 'double',
    defaultValue: 2,
    description:
      "Upper end of the robot's height band in the occupancy grid, metres above base_frame's origin",
    readOnly: false,
    range: [-100, 100],
  },
] as const satisfies readonly ParameterDeclaration[];

export const TRANSPORTS = ['raw', 'compressed'] as const;
export type ImageTransport = (typeof TRANSPORTS)[number];

/** The parameters of one camera: their names depend on the value of `cameras`. */
export const cameraParameters = (camera: string) =>
  [
    {
      name: `camera.${camera}.image_topic`,
      type: 'string',
      defaultValue: `camera/${camera}/image_raw/compressed`,
      description: `Topic of the images of camera ${camera}: sensor_msgs/CompressedImage or Image, as transport says`,
      readOnly: true,
    },
    {
      name: `camera.${camera}.info_topic`,
      type: 'string',
      defaultValue: `camera/${camera}/camera_info`,
      description: `Topic of the sensor_msgs/CameraInfo of camera ${camera}; its frame_id is the optical frame`,
      readOnly: true,
    },
    {
      name: `camera.${camera}.transport`,
      type: 'string',
      defaultValue: 'compressed',
      description: `Message type of the images of camera ${camera}: raw (Image) or compressed (CompressedImage)`,
      readOnly: true,
      choices: TRANSPORTS,
    },
  ] as const satisfies readonly ParameterDeclaration[];
