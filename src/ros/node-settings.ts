import { parseCoreList } from '../engine/core-list.js';
import type { EngineOptions, Isa } from '../engine/types.js';
import type { VirtualCameraMode } from '../perception/network-views.js';
import { cameraParameters, groupParameter, NODE_PARAMETERS } from './node-parameters.js';
import type { ImageTransport } from './node-parameters.js';
import type { ParameterValue } from './parameter-declaration.js';
import type { ParameterServer } from './parameter-server.js';
import { QOS_KEYS } from './topic-qos.js';
import type { QosKey, TopicQos } from './topic-qos.js';

export interface CameraSettings {
  readonly name: string;
  readonly imageTopic: string;
  readonly infoTopic: string;
  readonly transport: ImageTransport;
  /** Undefined: the frame_id of its messages. */
  readonly opticalFrame: string | undefined;
  /** Undefined: calibration comes as CameraInfo. */
  readonly calibrationFile: string | undefined;
}

export interface EgoMotionSettings {
  readonly source: 'none' | 'odometry' | 'tf';
  readonly odomTopic: string;
  readonly odomFrame: string;
  readonly historyNs: bigint;
}

/** The parameters that are fixed from the start. */
export interface NodeSettings {
  readonly autostart: boolean;
  readonly cameras: readonly CameraSettings[];
  readonly anchorCamera: string;
  readonly maxSpreadMs: number;
  readonly maxWaitMs: number;
  readonly cameraTimeoutMs: number;
  readonly baseFrame: string;
  readonly jpegHalfScale: boolean;
  readonly virtualCameras: VirtualCameraMode;
  readonly egoMotion: EgoMotionSettings;
  /** Classes by group. */
  readonly voxelGroups: ReadonlyMap<string, readonly string[]>;
  readonly diagnosticsPeriodMs: number;
  readonly qos: Readonly<Record<QosKey, TopicQos>>;
}

/** What the parameters say about the model, read whenever it is loaded. */
export interface ModelSettings {
  /** Undefined: the model that is shipped. */
  readonly file: string | undefined;
  readonly engine: EngineOptions;
}

type Values = ReadonlyMap<string, ParameterValue>;

/**
 * Declares all parameters of the node and reads those that are fixed.
 * @throws BdcError `PARAMETER_INVALID`, `PARAMETER_UNKNOWN`
 */
export function declareNodeParameters(parameters: ParameterServer): NodeSettings {
  for (const declaration of NODE_PARAMETERS) parameters.declare(declaration);
  parameters.require(checkNames);
  parameters.require(checkHeights);
  parameters.require(checkCores);
  const { values } = parameters;
  const names = values.get('cameras') as readonly string[];
  for (const name of names) for (const declaration of cameraParameters(name)) parameters.declare(declaration);
  const groups = values.get('voxel_groups') as readonly string[];
  for (const group of groups) parameters.declare(groupParameter(group));
  parameters.refuseUnknownOverrides();
  return {
    autostart: values.get('autostart') as boolean,
    cameras: names.map((name) => cameraSettings(values, name)),
    anchorCamera: (values.get('anchor_camera') as string) || names[0]!,
    maxSpreadMs: values.get('max_spread_ms') as number,
    maxWaitMs: values.get('max_wait_ms') as number,
    cameraTimeoutMs: values.get('camera_timeout_ms') as number,
    baseFrame: (values.get('base_frame') as string).replace(/^\//, ''),
    jpegHalfScale: values.get('jpeg_half_scale') as boolean,
    virtualCameras: values.get('virtual_cameras') as VirtualCameraMode,
    egoMotion: {
      source: values.get('ego_motion.source') as EgoMotionSettings['source'],
      odomTopic: values.get('ego_motion.odom_topic') as string,
      odomFrame: values.get('ego_motion.odom_frame') as string,
      historyNs: BigInt(Math.round((values.get('ego_motion.history_s') as number) * 1e9)),
    },
    voxelGroups: new Map(
      groups.map((group) => [group, values.get(groupParameter(group).name) as readonly string[]]),
    ),
    diagnosticsPeriodMs: (values.get('diagnostics_period_s') as number) * 1000,
    qos: Object.fromEntries(QOS_KEYS.map((key) => [key, topicQos(values, key)])) as Record<QosKey, TopicQos>,
  };
}

export function modelSettings(values: Values): ModelSettings {
  const threads = values.get('threads') as number;
  const affinity = parseCoreList(values.get('thread_affinity') as string);
  const nice = values.get('thread_nice') as number;
  const realtimePriority = values.get('thread_realtime_priority') as number;
  const isa = values.get('isa') as Isa | '';
  return {
    file: (values.get('model') as string) || undefined,
    engine: {
      ...(threads > 0 && { threads }),
      affinity,
      ...(nice !== 0 && { nice }),
      ...(realtimePriority > 0 && { realtimePriority }),
      ...(isa !== '' && { isa }),
    },
  };
}

function cameraSettings(values: Values, name: string): CameraSettings {
  const text = (parameter: string): string => values.get(`camera.${name}.${parameter}`) as string;
  return {
    name,
    imageTopic: text('image_topic'),
    infoTopic: text('info_topic'),
    transport: text('transport') as ImageTransport,
    opticalFrame: text('optical_frame') || undefined,
    calibrationFile: text('calibration_file') || undefined,
  };
}

const topicQos = (values: Values, key: QosKey): TopicQos => ({
  reliability: values.get(`qos.${key}.reliability`) as TopicQos['reliability'],
  durability: values.get(`qos.${key}.durability`) as TopicQos['durability'],
  depth: values.get(`qos.${key}.depth`) as number,
});

function checkNames(values: Values): void {
  const cameras = values.get('cameras') as readonly string[];
  const groups = values.get('voxel_groups') as readonly string[];
  checkNameList('cameras', cameras);
  if (cameras.length === 0) throw new RangeError('parameter cameras: expected at least one name, found none');
  checkNameList('voxel_groups', groups);
  const anchor = values.get('anchor_camera') as string;
  if (anchor !== '' && !cameras.includes(anchor)) {
    throw new RangeError(
      `parameter anchor_camera: expected one of ${cameras.join(', ')}, found ${JSON.stringify(anchor)}`,
    );
  }
  if (values.get('base_frame') === '')
    throw new RangeError('parameter base_frame: expected a frame name, found none');
}

/** Names become parts of parameter and topic names. */
function checkNameList(parameter: string, names: readonly string[]): void {
  const bad = names.find((name) => !/^[A-Za-z]\w*$/.test(name));
  if (bad !== undefined) {
    throw new RangeError(
      `parameter ${parameter}: expected names of letters, digits and _, found ${JSON.stringify(bad)}`,
    );
  }
  if (new Set(names).size < names.length) {
    throw new RangeError(`parameter ${parameter}: expected different names, found [${names.join(', ')}]`);
  }
}

function checkHeights(values: Values): void {
  const [low, high] = [values.get('grid_min_height') as number, values.get('grid_max_height') as number];
  if (low >= high) {
    throw new RangeError(
      `parameter grid_min_height: expected less than grid_max_height (${high}), found ${low}`,
    );
  }
}

function checkCores(values: Values): void {
  try {
    parseCoreList(values.get('thread_affinity') as string);
  } catch (error) {
    throw new RangeError(`parameter thread_affinity: ${(error as RangeError).message}`, { cause: error });
  }
}
