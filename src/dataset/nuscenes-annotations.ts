import { join } from 'node:path';

import { readJsonRows } from './json-rows.js';
import { byToken, type NuscenesIndex } from './nuscenes-index.js';
import type {
  InstanceRow,
  NamedRow,
  SampleAnnotationRow,
  SampleRow,
  TableName,
  Token,
  Translation,
} from './nuscenes-tables.js';
import { detectionClassOf, type DetectionClass } from './occ3d.js';

/** An annotated object of the detection task, global frame, with the fields of a nuScenes submission. Metres, m/s. */
export interface AnnotatedObject extends AnnotatedPlace {
  readonly detection_name: DetectionClass;
  /** Empty if it has none. */
  readonly attribute_name: string;
  /** From the neighbouring annotations of the same object; NaN where that is not possible. */
  readonly velocity: readonly [number, number];
  /** LiDAR and radar returns. */
  readonly num_pts: number;
}

/** Centre, size (width, length, height), quaternion (w, x, y, z). */
export type AnnotatedPlace = Pick<SampleAnnotationRow, 'translation' | 'size' | 'rotation'>;

export interface SampleAnnotations {
  readonly objects: readonly AnnotatedObject[];
  readonly bicycleRacks: readonly AnnotatedPlace[];
}

/** Longest time between two annotations from which nuscenes-devkit derives a velocity, in seconds; twice that across both neighbours. */
const MAX_VELOCITY_INTERVAL = 1.5;
const BICYCLE_RACK = 'static_object.bicycle_rack';

/** The boxes of the samples of an index. */
export class NuscenesAnnotations {
  readonly #index: NuscenesIndex;
  readonly #rows: ReadonlyMap<Token, SampleAnnotationRow>;
  readonly #ofSample: ReadonlyMap<Token, readonly SampleAnnotationRow[]>;
  readonly #categoryOfInstance: ReadonlyMap<Token, string>;
  readonly #attributes: ReadonlyMap<Token, NamedRow>;
  readonly #timestamps: ReadonlyMap<Token, number>;

  private constructor(
    index: NuscenesIndex,
    rows: ReadonlyMap<Token, SampleAnnotationRow>,
    categoryOfInstance: ReadonlyMap<Token, string>,
    attributes: ReadonlyMap<Token, NamedRow>,
  ) {
    this.#index = index;
    this.#rows = rows;
    this.#categoryOfInstance = categoryOfInstance;
    this.#attributes = attributes;
    this.#timestamps = new Map(index.samples.map(({ token, timestamp }) => [token, timestamp]));
    const ofSample = new Map<Token, SampleAnnotationRow[]>();
    for (const row of rows.values()) {
      const list = ofSample.get(row.sample_token) ?? [];
      list.push(row);
      ofSample.set(row.sample_token, list);
    }
    this.#ofSample = ofSample;
  }

  /** @throws BdcError of kind `dataset` if a table is missing or damaged */
  static async open(index: NuscenesIndex): Promise<NuscenesAnnotations> {
    const table = <Row>(name: TableName) => readJsonRows<Row>(join(index.folder, `${name}.json`));
    const samples = new Set(index.samples.map(({ token }) => token));
    const rows = await byToken(table<SampleAnnotationRow>('sample_annotation'), ({ sample_token }) =>
      samples.has(sample_token),
    );
    const categories = await byToken(table<NamedRow>('category'));
    const categoryOfInstance = new Map<Token, string>();
    for await (const { token, category_token } of table<InstanceRow>('instance')) {
      const category = categories.get(category_token);
      if (category === undefined) {
        throw index.broken(`table category has no row ${category_token}, which an instance points to`);
      }
      categoryOfInstance.set(token, category.name);
    }
    return new NuscenesAnnotations(
      index,
      rows,
      categoryOfInstance,
      await byToken(table<NamedRow>('attribute')),
    );
  }

  /** In the table's order. @throws BdcError `DATASET_INCONSISTENT` */
  of({ token }: SampleRow): SampleAnnotations {
    const objects: AnnotatedObject[] = [];
    const bicycleRacks: AnnotatedPlace[] = [];
    for (const row of this.#ofSample.get(token) ?? []) {
      const category = this.#categoryOfInstance.get(row.instance_token);
      if (category === undefined) {
        throw this.#index.broken(
          `annotation ${row.token} is of instance ${row.instance_token}, which is not there`,
        );
      }
      const numbers = [...row.translation, ...row.size, ...row.rotation];
      if (numbers.length !== 10 || !numbers.every(Number.isFinite)) {
        throw this.#index.broken(
          `annotation ${row.token} needs finite numbers for its translation, size and rotation, found ${numbers.join(', ')}`,
        );
      }
      const name = detectionClassOf(category);
      if (category === BICYCLE_RACK) bicycleRacks.push(row);
      if (name === undefined) continue;
      objects.push({
        translation: row.translation,
        size: row.size,
        rotation: row.rotation,
        detection_name: name,
        attribute_name: this.#attribute(row),
        velocity: this.#velocity(row),
        num_pts: row.num_lidar_pts + row.num_radar_pts,
      });
    }
    return { objects, bicycleRacks };
  }

  #attribute({ token, attribute_tokens: tokens }: SampleAnnotationRow): string {
    if (tokens.length === 0) return '';
    const row = this.#attributes.get(tokens[0]!);
    if (tokens.length === 1 && row !== undefined) return row.name;
    throw this.#index.broken(
      `annotation ${token} needs at most one known attribute, found ${tokens.join(', ')}`,
    );
  }

  /** As `NuScenes.box_velocity` of the devkit. */
  #velocity(row: SampleAnnotationRow): readonly [number, number] {
    const [first, last] = [this.#neighbour(row, row.prev), this.#neighbour(row, row.next)];
    const seconds = 1e-6 * this.#timestamp(last) - 1e-6 * this.#timestamp(first);
    const limit = MAX_VELOCITY_INTERVAL * (row.prev !== '' && row.next !== '' ? 2 : 1);
    if (first === last || seconds > limit) return [NaN, NaN];
    const speed = (axis: keyof Translation & number): number =>
      ((last.translation[axis] as number) - (first.translation[axis] as number)) / seconds;
    return [speed(0), speed(1)];
  }

  #neighbour(row: SampleAnnotationRow, token: Token): SampleAnnotationRow {
    if (token === '') return row;
    const neighbour = this.#rows.get(token);
    if (neighbour === undefined) {
      throw this.#index.broken(`annotation ${row.token} has the neighbour ${token}, which is not there`);
    }
    return neighbour;
  }

  #timestamp({ sample_token }: SampleAnnotationRow): number {
    return this.#timestamps.get(sample_token)!;
  }
}
