/** Rows of the nuScenes v1.0 schema (nuscenes-devkit, docs/schema_nuscenes.md). Quaternions are w, x, y, z; timestamps microseconds. */
export type Token = string;
export type QuaternionWxyz = readonly [number, number, number, number];
export type Translation = readonly [number, number, number];

export interface SceneRow {
  readonly token: Token;
  readonly log_token: Token;
  readonly nbr_samples: number;
  readonly first_sample_token: Token;
  readonly last_sample_token: Token;
  readonly name: string;
  readonly description: string;
}

export interface SampleRow {
  readonly token: Token;
  readonly timestamp: number;
  readonly scene_token: Token;
  readonly prev: Token;
  readonly next: Token;
}

export interface SampleDataRow {
  readonly token: Token;
  readonly sample_token: Token;
  readonly ego_pose_token: Token;
  readonly calibrated_sensor_token: Token;
  readonly filename: string;
  readonly fileformat: string;
  readonly width: number;
  readonly height: number;
  readonly timestamp: number;
  readonly is_key_frame: boolean;
  readonly prev: Token;
  readonly next: Token;
}

export interface EgoPoseRow {
  readonly token: Token;
  readonly timestamp: number;
  readonly translation: Translation;
  readonly rotation: QuaternionWxyz;
}

export interface CalibratedSensorRow {
  readonly token: Token;
  readonly sensor_token: Token;
  /** Takes points of the sensor frame into the ego frame. */
  readonly translation: Translation;
  readonly rotation: QuaternionWxyz;
  /** 3×3 rows; empty for what is not a camera. */
  readonly camera_intrinsic: readonly (readonly number[])[];
  /**
   * Not part of nuScenes, whose images are rectified: the lens of a camera with distortion, named and ordered as in ROS's CameraInfo
   * (docs/simulation.md).
   */
  readonly distortion_model?: string;
  readonly distortion?: readonly number[];
}

export interface SensorRow {
  readonly token: Token;
  readonly channel: string;
  readonly modality: 'camera' | 'lidar' | 'radar';
}

export interface SampleAnnotationRow {
  readonly token: Token;
  readonly sample_token: Token;
  readonly instance_token: Token;
  readonly attribute_tokens: readonly Token[];
  readonly visibility_token: Token;
  /** Centre of the box, global frame. */
  readonly translation: Translation;
  /** Width, length, height. */
  readonly size: Translation;
  readonly rotation: QuaternionWxyz;
  readonly num_lidar_pts: number;
  readonly num_radar_pts: number;
  readonly prev: Token;
  readonly next: Token;
  /** Not part of nuScenes: (vx, vy) in the global frame, m/s, where the writer knows it (a single sample has no neighbours to derive it from). */
  readonly velocity?: readonly [number, number];
}

export interface InstanceRow {
  readonly token: Token;
  readonly category_token: Token;
  readonly nbr_annotations: number;
  readonly first_annotation_token: Token;
  readonly last_annotation_token: Token;
}

export interface NamedRow {
  readonly token: Token;
  readonly name: string;
  readonly description: string;
}

export interface VisibilityRow {
  readonly token: Token;
  readonly level: string;
  readonly description: string;
}

export interface LogRow {
  readonly token: Token;
  readonly logfile: string;
  readonly vehicle: string;
  readonly date_captured: string;
  readonly location: string;
}

export interface MapRow {
  readonly token: Token;
  readonly category: string;
  readonly filename: string;
  readonly log_tokens: readonly Token[];
}

export interface NuscenesTables {
  readonly scene: readonly SceneRow[];
  readonly sample: readonly SampleRow[];
  readonly sample_data: readonly SampleDataRow[];
  readonly ego_pose: readonly EgoPoseRow[];
  readonly calibrated_sensor: readonly CalibratedSensorRow[];
  readonly sensor: readonly SensorRow[];
  readonly sample_annotation: readonly SampleAnnotationRow[];
  readonly instance: readonly InstanceRow[];
  readonly category: readonly NamedRow[];
  readonly attribute: readonly NamedRow[];
  readonly visibility: readonly VisibilityRow[];
  readonly log: readonly LogRow[];
  readonly map: readonly MapRow[];
}
export type TableName = keyof NuscenesTables;
export const TABLE_NAMES = [
  'scene',
  'sample',
  'sample_data',
  'ego_pose',
  'calibrated_sensor',
  'sensor',
  'sample_annotation',
  'instance',
  'category',
  'attribute',
  'visibility',
  'log',
  'map',
] as const satisfies readonly TableName[];
