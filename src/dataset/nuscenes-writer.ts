import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BdcError } from '../errors.js';
import { AtomicFile, writeAtomically } from '../atomic-file.js';
import { encodeNpz } from './npz.js';
import { TABLE_NAMES } from './nuscenes-tables.js';
import type { NuscenesTables, TableName } from './nuscenes-tables.js';
import { attributeRows, categoryRows, tokenOf, visibilityRows } from './nuscenes-vocabulary.js';
import { sceneRows } from './scene-rows.js';
import type { SceneFile, SceneRows } from './scene-rows.js';
import type { SceneToWrite } from './scene-to-write.js';
import { OCC3D_GRID } from './occ3d.js';

const PROGRESS_FOLDER = '.progress';
const MAP_FILE = 'maps/none.png';
/** Custom split of nuscenes-devkit (1.2 or later) that holds every scene: its own splits are of nuScenes' scenes. */
const SPLIT = 'all';
/** A white PNG of one pixel: the devkit opens the map mask, and a simulated world has none. */
const EMPTY_MAP = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTXJxQAAAABJRU5ErkJggg==',
  'base64',
);

/**
 * Writes a data set in the layout of nuScenes v1.0 with Occ3D labels. A scene's rows are kept in `.progress/` when its files are
 * complete, so that an interrupted run goes on where it stopped; `finish` makes the tables of all of them.
 */
export class NuscenesWriter {
  readonly #root: string;
  readonly #version: string;

  private constructor(root: string, version: string) {
    this.#root = root;
    this.#version = version;
  }

  /**
   * Opens or begins a data set in `root`. `settings` says what makes its content; a folder begun with other settings is refused.
   * @throws BdcError dataset `DATASET_OTHER_SETTINGS`
   */
  static async open(
    root: string,
    version: string,
    settings: Readonly<Record<string, unknown>>,
  ): Promise<NuscenesWriter> {
    const path = join(root, PROGRESS_FOLDER, 'settings.json');
    const wanted = JSON.stringify(settings);
    const found = await readFile(path, 'utf8').catch(() => undefined);
    if (found !== undefined && found !== wanted) {
      throw new BdcError('dataset', {
        code: 'DATASET_OTHER_SETTINGS',
        message: `${root} was begun with the settings ${found}, now they are ${wanted}; choose an empty folder or the same settings`,
      });
    }
    await writeAtomically(path, wanted);
    return new NuscenesWriter(root, version);
  }

  /** Names of the scenes that are complete. */
  async completeScenes(): Promise<ReadonlySet<string>> {
    const files = await readdir(join(this.#root, PROGRESS_FOLDER));
    return new Set(
      files.flatMap((file) => /^(scene-.*)\.json$/.exec(file)?.[1] ?? []), // a `….part` was cut off
    );
  }

  /** Writes a scene's files, then its rows. Returns the bytes written. */
  async writeScene(scene: SceneToWrite): Promise<number> {
    const { rows, files } = sceneRows(scene);
    let bytes = 0;
    for (const file of files) {
      const data = await contentOf(file);
      bytes += data.byteLength;
      await writeAtomically(join(this.#root, file.path), data);
    }
    await writeAtomically(join(this.#root, PROGRESS_FOLDER, `${scene.name}.json`), JSON.stringify(rows));
    return bytes;
  }

  /** Writes the tables of all complete scenes. */
  async finish(): Promise<void> {
    const names = [...(await this.completeScenes())].sort();
    const logToken = tokenOf('log');
    const fixed: Partial<NuscenesTables> = {
      category: categoryRows(),
      attribute: attributeRows(),
      visibility: visibilityRows(),
      log: [
        {
          token: logToken,
          logfile: 'simulation',
          vehicle: 'simulation',
          date_captured: '2020-09-13',
          location: 'simulation',
        },
      ],
      map: [
        { token: tokenOf('map'), category: 'semantic_prior', filename: MAP_FILE, log_tokens: [logToken] },
      ],
    };
    await writeAtomically(join(this.#root, MAP_FILE), EMPTY_MAP);
    const folder = join(this.#root, this.#version);
    await writeAtomically(join(folder, 'splits.json'), JSON.stringify({ [SPLIT]: names }));
    const writers = new Map<TableName, RowWriter>();
    for (const table of TABLE_NAMES) {
      writers.set(table, await RowWriter.open(join(folder, `${table}.json`)));
    }
    for (const table of TABLE_NAMES) {
      for (const row of fixed[table] ?? []) await writers.get(table)!.add(row);
    }
    const sensors = new Set<string>();
    for (const name of names) {
      const text = await readFile(join(this.#root, PROGRESS_FOLDER, `${name}.json`), 'utf8');
      const rows = JSON.parse(text) as SceneRows;
      for (const [table, list] of Object.entries(rows) as [keyof SceneRows, SceneRows[keyof SceneRows]][]) {
        for (const row of list) {
          if (table === 'sensor' && sensors.size === sensors.add(row.token).size) continue;
          await writers.get(table)!.add(row);
        }
      }
    }
    for (const writer of writers.values()) await writer.end();
  }
}

/** Writes a JSON list row by row: a data set's tables need not fit into memory at once. */
class RowWriter {
  readonly #file: AtomicFile;
  #isEmpty = true;

  private constructor(file: AtomicFile) {
    this.#file = file;
  }

  static async open(path: string): Promise<RowWriter> {
    return new RowWriter(await AtomicFile.open(path));
  }

  async add(row: unknown): Promise<void> {
    await this.#file.write(`${this.#isEmpty ? '[' : ','}\n${JSON.stringify(row)}`);
    this.#isEmpty = false;
  }

  async end(): Promise<void> {
    await this.#file.write(this.#isEmpty ? '[\n]\n' : '\n]\n');
    await this.#file.close();
  }
}

async function contentOf(file: SceneFile): Promise<Uint8Array> {
  switch (file.kind) {
    case 'bytes':
      return file.data;
    case 'labels': {
      const shape = OCC3D_GRID.shape;
      return encodeNpz({
        semantics: { shape, data: file.semantics },
        mask_lidar: { shape, data: file.maskLidar },
        mask_camera: { shape, data: file.maskCamera },
      });
    }
  }
}
