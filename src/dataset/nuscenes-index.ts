import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { BdcError } from '../errors.js';
import { RigidTransform } from '../geometry/rigid-transform.js';
import { readJsonRows } from './json-rows.js';
import type {
  CalibratedSensorRow,
  EgoPoseRow,
  SampleDataRow,
  SampleRow,
  SceneRow,
  SensorRow,
  TableName,
  Token,
} from './nuscenes-tables.js';
import { scenesOfSplit } from './nuscenes-splits.js';

/** The sensor whose ego pose at the sample's time is the base frame of labels and boxes. */
const REFERENCE_CHANNEL = 'LIDAR_TOP';

export interface KeyFrame {
  readonly data: SampleDataRow;
  readonly channel: string;
}

/** Key frames of a data set or of one of its splits, with poses and calibration; of the tables only what belongs to them is kept. */
export class NuscenesIndex {
  readonly root: string;
  /** Folder of the tables. */
  readonly folder: string;
  readonly samples: readonly SampleRow[];
  readonly #scenes: ReadonlyMap<Token, SceneRow>;
  readonly #poses: ReadonlyMap<Token, EgoPoseRow>;
  readonly #calibrations: ReadonlyMap<Token, CalibratedSensorRow>;
  readonly #keyFrames: ReadonlyMap<Token, readonly KeyFrame[]>;
  readonly #ofScene = new Map<Token, SampleRow[]>();

  private constructor(
    root: string,
    folder: string,
    rows: {
      readonly samples: readonly SampleRow[];
      readonly scenes: ReadonlyMap<Token, SceneRow>;
      readonly poses: ReadonlyMap<Token, EgoPoseRow>;
      readonly calibrations: ReadonlyMap<Token, CalibratedSensorRow>;
      readonly sensors: ReadonlyMap<Token, SensorRow>;
      readonly keyFrames: ReadonlyMap<Token, readonly SampleDataRow[]>;
    },
  ) {
    this.root = root;
    this.folder = folder;
    this.samples = rows.samples;
    this.#scenes = rows.scenes;
    this.#poses = rows.poses;
    this.#calibrations = rows.calibrations;
    this.#keyFrames = new Map(
      Array.from(rows.keyFrames, ([sample, list]) => [
        sample,
        list.map((data) => {
          const { sensor_token } = this.calibration(data);
          return { data, channel: this.#row(rows.sensors, sensor_token, 'sensor').channel };
        }),
      ]),
    );
    for (const sample of this.samples) {
      const list = this.#ofScene.get(sample.scene_token) ?? [];
      list.push(sample);
      this.#ofScene.set(sample.scene_token, list);
    }
  }

  /** @throws BdcError of kind `dataset` if tables are missing, damaged or point to rows that are not there */
  static async open(root: string, version?: string, split?: string): Promise<NuscenesIndex> {
    const folder = join(root, version ?? (await onlyVersion(root)));
    const table = <Row>(name: TableName) => readJsonRows<Row>(join(folder, `${name}.json`));
    const isWanted = split === undefined ? () => true : await scenesOfSplit(folder, split);
    const scenes = await byToken(table<SceneRow>('scene'), ({ name }) => isWanted(name));
    const isKept = split === undefined ? () => true : ({ scene_token }: SampleRow) => scenes.has(scene_token);
    const samples = await byToken(table<SampleRow>('sample'), isKept);
    if (samples.size === 0) {
      throw new BdcError('dataset', {
        code: 'DATASET_EMPTY',
        message: `${folder}: no samples${split === undefined ? '' : ` of split "${split}"`}`,
      });
    }
    const keyFrames = new Map<Token, SampleDataRow[]>();
    const poseTokens = new Set<Token>();
    for await (const row of table<SampleDataRow>('sample_data')) {
      if (!row.is_key_frame || !samples.has(row.sample_token)) continue;
      const frames = keyFrames.get(row.sample_token) ?? [];
      frames.push(row);
      keyFrames.set(row.sample_token, frames);
      poseTokens.add(row.ego_pose_token);
    }
    return new NuscenesIndex(root, folder, {
      samples: [...samples.values()],
      scenes,
      keyFrames,
      poses: await byToken(table<EgoPoseRow>('ego_pose'), ({ token }) => poseTokens.has(token)),
      calibrations: await byToken(table<CalibratedSensorRow>('calibrated_sensor')),
      sensors: await byToken(table<SensorRow>('sensor')),
    });
  }

  keyFrames({ token }: SampleRow): readonly KeyFrame[] {
    return this.#keyFrames.get(token) ?? [];
  }

  /** The key frame whose ego pose defines the sample's base frame. */
  reference(sample: SampleRow): SampleDataRow {
    const frame = this.keyFrames(sample).find(({ channel }) => channel === REFERENCE_CHANNEL);
    if (frame === undefined) {
      throw this.broken(`sample ${sample.token} has no key frame of ${REFERENCE_CHANNEL}`);
    }
    return frame.data;
  }

  scene({ scene_token }: SampleRow): SceneRow {
    return this.#row(this.#scenes, scene_token, 'scene');
  }

  /** All samples of the scene, by time. */
  samplesOfScene({ scene_token }: SampleRow): readonly SampleRow[] {
    return [...this.#ofScene.get(scene_token)!].sort((a, b) => a.timestamp - b.timestamp);
  }

  calibration({ calibrated_sensor_token }: SampleDataRow): CalibratedSensorRow {
    return this.#row(this.#calibrations, calibrated_sensor_token, 'calibrated_sensor');
  }

  egoFromSensor(data: SampleDataRow): RigidTransform {
    return this.#transform(this.calibration(data));
  }

  globalFromEgo(data: SampleDataRow): RigidTransform {
    return this.#transform(this.egoPose(data));
  }

  egoPose({ ego_pose_token }: SampleDataRow): EgoPoseRow {
    return this.#row(this.#poses, ego_pose_token, 'ego_pose');
  }

  #transform({
    token,
    rotation: [w, x, y, z],
    translation,
  }: EgoPoseRow | CalibratedSensorRow): RigidTransform {
    try {
      return new RigidTransform([x, y, z, w], translation);
    } catch (cause) {
      throw this.broken(`row ${token}: ${(cause as Error).message}`, cause);
    }
  }

  #row<Row>(table: ReadonlyMap<Token, Row>, token: Token, name: TableName): Row {
    const row = table.get(token);
    if (row === undefined)
      throw this.broken(`table ${name} has no row ${token}, which another table points to`);
    return row;
  }

  broken(what: string, cause?: unknown): BdcError {
    return new BdcError('dataset', {
      code: 'DATASET_INCONSISTENT',
      message: `${this.root}: ${what}`,
      cause,
    });
  }
}

export async function byToken<Row extends { readonly token: Token }>(
  rows: AsyncIterable<Row>,
  isWanted: (row: Row) => boolean = () => true,
): Promise<Map<Token, Row>> {
  const map = new Map<Token, Row>();
  for await (const row of rows) if (isWanted(row)) map.set(row.token, row);
  return map;
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
