import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { BdcError } from '../errors.js';
import { cameraModelFromInfo } from '../geometry/camera-info.js';
import { RigidTransform } from '../geometry/rigid-transform.js';
import type { CameraFrame, CameraImage, CameraRig, RigCamera } from '../perception/types.js';
import { decodeNpz } from './npz-reader.js';
import type {
  CalibratedSensorRow,
  EgoPoseRow,
  NuscenesTables,
  SampleDataRow,
  SampleRow,
  SceneRow,
  SensorRow,
  TableName,
  Token,
} from './nuscenes-tables.js';
import { OCC3D_GRID } from './occ3d.js';

/** The sensor whose ego pose at the sample's time is the base frame of labels and boxes. */
const REFERENCE_CHANNEL = 'LIDAR_TOP';

/** One key frame: images with calibration, and Occ3D's labels. */
export interface DatasetSample {
  readonly token: Token;
  readonly scene: string;
  /** In the order of the camera names asked for; base frame = the ego frame at the lidar's time. */
  readonly rig: CameraRig;
  readonly frame: CameraFrame;
  /** `[200][200][16]` on `OCC3D_GRID`. */
  readonly labels: Uint8Array;
  /** 1 where a camera sees the voxel, same order. */
  readonly cameraMask: Uint8Array;
}

interface KeyFrame {
  readonly data: SampleDataRow;
  readonly channel: string;
}

/** Reads a data set in the layout of nuScenes v1.0 with Occ3D's `gts/` beside it, one key frame at a time. */
export class NuscenesReader {
  readonly #root: string;
  readonly #samples: readonly SampleRow[];
  readonly #scenes: ReadonlyMap<Token, SceneRow>;
  readonly #poses: ReadonlyMap<Token, EgoPoseRow>;
  readonly #calibrations: ReadonlyMap<Token, CalibratedSensorRow>;
  /** Key frames by sample. */
  readonly #keyFrames = new Map<Token, KeyFrame[]>();

  private constructor(root: string, tables: Pick<NuscenesTables, (typeof READ_TABLES)[number]>) {
    this.#root = root;
    this.#samples = tables.sample;
    this.#scenes = byToken<SceneRow>(tables.scene);
    this.#poses = byToken<EgoPoseRow>(tables.ego_pose);
    this.#calibrations = byToken<CalibratedSensorRow>(tables.calibrated_sensor);
    const sensors = byToken<SensorRow>(tables.sensor);
    for (const data of tables.sample_data.filter(({ is_key_frame }) => is_key_frame)) {
      const calibration = this.#row(this.#calibrations, data.calibrated_sensor_token, 'calibrated_sensor');
      const { channel } = this.#row(sensors, calibration.sensor_token, 'sensor');
      const frames = this.#keyFrames.get(data.sample_token) ?? [];
      frames.push({ data, channel });
      this.#keyFrames.set(data.sample_token, frames);
    }
  }

  /**
   * Opens the data set in `root`.
   *
   * @param version folder of the tables, for example `v1.0-trainval`; may be left out where there is only one
   * @throws BdcError of kind `dataset` if tables are missing, damaged or point to rows that are not there
   */
  static async open(root: string, version?: string): Promise<NuscenesReader> {
    const folder = join(root, version ?? (await onlyVersion(root)));
    const tables = await Promise.all(
      READ_TABLES.map(async (name) => [name, await readTable(folder, name)] as const),
    );
    return new NuscenesReader(root, Object.fromEntries(tables) as unknown as NuscenesTables);
  }

  get sampleCount(): number {
    return this.#samples.length;
  }

  /**
   * All samples in the tables' order, with the images of `cameras` (channel names); a camera that a sample lacks is left out.
   *
   * @throws BdcError of kind `dataset` at the first file that is missing or damaged
   */
  async *samples(cameras: readonly string[]): AsyncGenerator<DatasetSample> {
    for (const sample of this.#samples) yield await this.#load(sample, cameras);
  }

  async #load({ token, scene_token }: SampleRow, cameras: readonly string[]): Promise<DatasetSample> {
    const frames = this.#keyFrames.get(token) ?? [];
    const reference = frames.find(({ channel }) => channel === REFERENCE_CHANNEL);
    if (reference === undefined)
      throw this.#broken(`sample ${token} has no key frame of ${REFERENCE_CHANNEL}`);
    const baseFromGlobal = this.#globalFromEgo(reference.data).inverse();
    const used = cameras.flatMap((name) => frames.filter(({ channel }) => channel === name));
    if (used.length === 0)
      throw this.#broken(`sample ${token} has none of the cameras ${cameras.join(', ')}`);
    const scene = this.#row(this.#scenes, scene_token, 'scene').name;
    const [images, labels] = await Promise.all([
      Promise.all(used.map(({ data }) => this.#image(data))),
      this.#labels(scene, token),
    ]);
    return {
      token,
      scene,
      rig: { baseFrame: 'base_link', cameras: used.map((frame) => this.#camera(frame, baseFromGlobal)) },
      frame: { stamp: nanoseconds(reference.data), images },
      ...labels,
    };
  }

  #camera({ data, channel }: KeyFrame, baseFromGlobal: RigidTransform): RigCamera {
    const calibration = this.#row(this.#calibrations, data.calibrated_sensor_token, 'calibrated_sensor');
    const { width, height } = data;
    const k = calibration.camera_intrinsic.flat();
    return {
      name: channel,
      model: cameraModelFromInfo({ width, height, distortion_model: 'none', d: [], k }, channel),
      baseFromCamera: baseFromGlobal.compose(this.#globalFromEgo(data)).compose(this.#transform(calibration)),
    };
  }

  #globalFromEgo({ ego_pose_token }: SampleDataRow): RigidTransform {
    return this.#transform(this.#row(this.#poses, ego_pose_token, 'ego_pose'));
  }

  #transform({
    token,
    rotation: [w, x, y, z],
    translation,
  }: EgoPoseRow | CalibratedSensorRow): RigidTransform {
    try {
      return new RigidTransform([x, y, z, w], translation);
    } catch (cause) {
      throw this.#broken(`row ${token}: ${(cause as Error).message}`, cause);
    }
  }

  async #image(data: SampleDataRow): Promise<CameraImage> {
    const path = join(this.#root, data.filename);
    return { kind: 'compressed', stamp: nanoseconds(data), data: await readBytes(path) };
  }

  async #labels(scene: string, token: Token): Promise<Pick<DatasetSample, 'labels' | 'cameraMask'>> {
    const path = join(this.#root, 'gts', scene, token, 'labels.npz');
    const arrays = await decodeNpz(await readBytes(path), ['semantics', 'mask_camera'], path);
    for (const [name, { shape }] of arrays) {
      if (shape.join() !== OCC3D_GRID.shape.join()) {
        throw this.#broken(
          `${path}: ${name} needs shape ${OCC3D_GRID.shape.join('×')}, found ${shape.join('×')}`,
        );
      }
    }
    return { labels: arrays.get('semantics')!.data, cameraMask: arrays.get('mask_camera')!.data };
  }

  #row<Row>(table: ReadonlyMap<Token, Row>, token: Token, name: TableName): Row {
    const row = table.get(token);
    if (row === undefined)
      throw this.#broken(`table ${name} has no row ${token}, which another table points to`);
    return row;
  }

  #broken(what: string, cause?: unknown): BdcError {
    return new BdcError('dataset', {
      code: 'DATASET_INCONSISTENT',
      message: `${this.#root}: ${what}`,
      cause,
    });
  }
}

const READ_TABLES = [
  'scene',
  'sample',
  'sample_data',
  'ego_pose',
  'calibrated_sensor',
  'sensor',
] as const satisfies readonly TableName[];

const nanoseconds = ({ timestamp }: SampleDataRow): bigint => BigInt(timestamp) * 1000n;

function byToken<Row extends { readonly token: Token }>(rows: readonly Row[]): ReadonlyMap<Token, Row> {
  return new Map(rows.map((row) => [row.token, row]));
}

async function onlyVersion(root: string): Promise<string> {
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw new BdcError('dataset', { code: 'DATASET_MISSING', message: `${root}: no such folder`, cause });
  });
  const versions = entries
    .filter((entry) => entry.isDirectory() && entry.name.startsWith('v1.0'))
    .map(({ name }) => name);
  if (versions.length === 1) return versions[0]!;
  throw new BdcError('dataset', {
    code: 'DATASET_VERSION',
    message: `${root}: expected one folder of tables (v1.0-…), found ${versions.join(', ') || 'none'}; name one if there are several`,
  });
}

async function readTable(folder: string, name: TableName): Promise<readonly unknown[]> {
  const path = join(folder, `${name}.json`);
  const bytes = await readBytes(path);
  try {
    const rows: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (Array.isArray(rows)) return rows as readonly unknown[];
  } catch (cause) {
    throw new BdcError('dataset', {
      code: 'DATASET_TABLE_INVALID',
      message: `${path}: expected JSON, found ${(cause as Error).message}; the file may be cut`,
      cause,
    });
  }
  throw new BdcError('dataset', {
    code: 'DATASET_TABLE_INVALID',
    message: `${path}: expected a list of rows`,
  });
}

async function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw new BdcError('dataset', {
      code: 'DATASET_FILE_MISSING',
      message: `${path}: cannot be read (${(cause as Error).message}); the data set is not complete`,
      cause,
    });
  });
}
