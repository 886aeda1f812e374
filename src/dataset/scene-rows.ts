import type { RigidTransform } from '../geometry/rigid-transform.js';
import type {
  CalibratedSensorRow,
  NuscenesTables,
  QuaternionWxyz,
  SampleAnnotationRow,
  SampleDataRow,
} from './nuscenes-tables.js';
import { attributeTokens, categoryToken, tokenOf, visibilityToken } from './nuscenes-vocabulary.js';
import type { BoxToWrite, SampleToWrite, SceneToWrite } from './scene-to-write.js';

/** The tables that a scene adds rows to. */
export type SceneRows = Pick<
  NuscenesTables,
  | 'scene'
  | 'sample'
  | 'sample_data'
  | 'ego_pose'
  | 'calibrated_sensor'
  | 'sensor'
  | 'sample_annotation'
  | 'instance'
>;

/** A file of the data set; `path` is relative to its root. */
export type SceneFile =
  | { readonly kind: 'bytes'; readonly path: string; readonly data: Uint8Array }
  | {
      readonly kind: 'labels';
      readonly path: string;
      readonly semantics: Uint8Array;
      readonly maskLidar: Uint8Array;
      readonly maskCamera: Uint8Array;
    };

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer R)[] ? R[] : never };

/** Rows and files of one scene. Tokens follow from the scene's identity, so the same scene always has the same ones. */
export function sceneRows(scene: SceneToWrite): {
  readonly rows: SceneRows;
  readonly files: readonly SceneFile[];
} {
  const sampleTokens = scene.samples.map((_, index) => tokenOf(scene.identity, 'sample', index));
  const sceneToken = tokenOf(scene.identity);
  const rows: Mutable<SceneRows> = {
    scene: [
      {
        token: sceneToken,
        log_token: tokenOf('log'),
        nbr_samples: scene.samples.length,
        first_sample_token: sampleTokens[0]!,
        last_sample_token: sampleTokens.at(-1)!,
        name: scene.name,
        description: scene.description,
      },
    ],
    sample: [],
    sample_data: [],
    ego_pose: [],
    calibrated_sensor: [],
    sensor: [],
    sample_annotation: [],
    instance: [],
  };
  const files: SceneFile[] = [];
  scene.samples.forEach((sample, index) => {
    const sampleToken = sampleTokens[index]!;
    rows.sample.push({
      token: sampleToken,
      timestamp: sample.timestamp,
      scene_token: sceneToken,
      prev: sampleTokens[index - 1] ?? '',
      next: sampleTokens[index + 1] ?? '',
    });
    addSensorData(scene, sample, index, sampleToken, rows, files);
    files.push({
      kind: 'labels',
      path: `gts/${scene.name}/${sampleToken}/labels.npz`,
      semantics: sample.semantics,
      maskLidar: sample.maskLidar,
      maskCamera: sample.maskCamera,
    });
  });
  addAnnotations(scene, sampleTokens, rows);
  return { rows, files };
}

function addSensorData(
  scene: SceneToWrite,
  sample: SampleToWrite,
  index: number,
  sampleToken: string,
  rows: Mutable<SceneRows>,
  files: SceneFile[],
): void {
  const sensors = [
    ...sample.cameras.map((camera) => {
      const {
        channel,
        egoFromSensor,
        intrinsics: [fx, fy, cx, cy],
        distortion,
        width,
        height,
        jpeg,
      } = camera;
      const matrix = [
        [fx, 0, cx],
        [0, fy, cy],
        [0, 0, 1],
      ];
      return {
        channel,
        modality: 'camera',
        egoFromSensor,
        matrix,
        distortion,
        width,
        height,
        data: jpeg,
      } as const;
    }),
    {
      channel: 'LIDAR_TOP',
      modality: 'lidar',
      egoFromSensor: sample.lidar.egoFromSensor,
      matrix: [],
      distortion: undefined,
      width: 0,
      height: 0,
      data: new Uint8Array(
        sample.lidar.points.buffer,
        sample.lidar.points.byteOffset,
        sample.lidar.points.byteLength,
      ),
    } as const,
  ];
  const last = scene.samples.length - 1;
  for (const sensor of sensors) {
    const { channel, modality } = sensor;
    const dataToken = (i: number) =>
      i < 0 || i > last ? '' : tokenOf(scene.identity, 'sample_data', channel, i);
    const calibration: CalibratedSensorRow = {
      token: tokenOf(scene.identity, 'calibrated_sensor', channel),
      sensor_token: tokenOf('sensor', channel),
      ...poseColumns(sensor.egoFromSensor),
      camera_intrinsic: sensor.matrix,
      ...(sensor.distortion && {
        distortion_model: sensor.distortion.model,
        distortion: sensor.distortion.coefficients,
      }),
    };
    if (index === 0) {
      rows.sensor.push({ token: calibration.sensor_token, channel, modality });
      rows.calibrated_sensor.push(calibration);
    }
    const poseToken = tokenOf(scene.identity, 'ego_pose', channel, index);
    rows.ego_pose.push({
      token: poseToken,
      timestamp: sample.timestamp,
      ...poseColumns(sample.globalFromEgo),
    });
    const ending = modality === 'camera' ? 'jpg' : 'pcd.bin';
    const filename = `samples/${channel}/${scene.name}__${channel}__${sample.timestamp}.${ending}`;
    const row: SampleDataRow = {
      token: dataToken(index),
      sample_token: sampleToken,
      ego_pose_token: poseToken,
      calibrated_sensor_token: calibration.token,
      filename,
      fileformat: modality === 'camera' ? 'jpg' : 'pcd',
      width: sensor.width,
      height: sensor.height,
      timestamp: sample.timestamp,
      is_key_frame: true,
      prev: dataToken(index - 1),
      next: dataToken(index + 1),
    };
    rows.sample_data.push(row);
    files.push({ kind: 'bytes', path: filename, data: sensor.data });
  }
}

function addAnnotations(
  scene: SceneToWrite,
  sampleTokens: readonly string[],
  rows: Mutable<SceneRows>,
): void {
  const byInstance = new Map<number, { readonly box: BoxToWrite; readonly sample: number }[]>();
  scene.samples.forEach((sample, index) => {
    for (const box of sample.boxes) {
      const list = byInstance.get(box.instance) ?? [];
      list.push({ box, sample: index });
      byInstance.set(box.instance, list);
    }
  });
  for (const [instance, sightings] of byInstance) {
    const tokens = sightings.map(({ sample }) => tokenOf(scene.identity, 'annotation', instance, sample));
    const instanceToken = tokenOf(scene.identity, 'instance', instance);
    rows.instance.push({
      token: instanceToken,
      category_token: categoryToken(sightings[0]!.box.kind),
      nbr_annotations: tokens.length,
      first_annotation_token: tokens[0]!,
      last_annotation_token: tokens.at(-1)!,
    });
    sightings.forEach(({ box, sample }, i) => {
      const [length, width, height] = box.size;
      const row: SampleAnnotationRow = {
        token: tokens[i]!,
        sample_token: sampleTokens[sample]!,
        instance_token: instanceToken,
        attribute_tokens: attributeTokens(box),
        visibility_token: visibilityToken(box.visibility),
        translation: box.center,
        size: [width, length, height],
        rotation: [Math.cos(box.yaw / 2), 0, 0, Math.sin(box.yaw / 2)],
        num_lidar_pts: box.lidarPoints,
        num_radar_pts: 0,
        prev: tokens[i - 1] ?? '',
        next: tokens[i + 1] ?? '',
        velocity: box.velocity,
      };
      rows.sample_annotation.push(row);
    });
  }
}

function poseColumns(pose: RigidTransform): {
  readonly translation: readonly [number, number, number];
  readonly rotation: QuaternionWxyz;
} {
  const [x, y, z, w] = pose.rotation;
  return { translation: pose.translation, rotation: [w, x, y, z] };
}
