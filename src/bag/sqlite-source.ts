import { symlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import sqlite, { type Database as SqliteDatabase } from 'node-sqlite3-wasm';
import { definitionOf } from './bag-topic.js';
import type { BagMessage, CountedTopic, MessageSource } from './message-source.js';
import { TemporaryFolder } from './temporary-folder.js';

type Row = Readonly<Record<string, number | bigint | string | Uint8Array | null>>;

/**
 * A rosbag2 SQLite file (`.db3`) of any schema version, read row by row in the order of log time: one message is in memory at a time. The tables
 * are those of rosbag2_storage_sqlite3 (src/rosbag2_storage_sqlite3/sqlite_storage.cpp, SqliteStorage::initialize).
 */
export class SqliteSource implements MessageSource {
  readonly indexed = true;
  readonly remedy = '"sqlite3 BAG .recover" can save what is readable';
  readonly warnings: readonly string[];
  readonly topics: readonly CountedTopic[];
  readonly #database: SqliteDatabase;
  readonly #folder: TemporaryFolder;
  readonly #topicOf: ReadonlyMap<number, CountedTopic>;

  private constructor(database: SqliteDatabase, folder: TemporaryFolder) {
    this.#database = database;
    this.#folder = folder;
    this.#topicOf = readTopics(database);
    this.topics = [...this.#topicOf.values()];
    this.warnings = this.topics
      .filter(({ schema }) => schema.length === 0)
      .map(({ name, type }) => `the bag has no definition of ${type}; a copy of ${name} will have none`);
  }

  /**
   * The library keeps its lock beside the file, and gives no way to do without: a link in a folder of our own lets bags on read-only media
   * be read, and by several at once.
   * @throws Error where the file is not a rosbag2 database
   */
  static async open(path: string): Promise<SqliteSource> {
    const folder = await TemporaryFolder.create();
    let database: SqliteDatabase | undefined;
    try {
      const link = join(folder.path, 'bag.db3');
      await symlink(resolve(path), link);
      // what a killed recorder had not yet moved into the file
      if (existsSync(`${path}-wal`)) await symlink(resolve(`${path}-wal`), `${link}-wal`);
      database = new sqlite.Database(link, { readOnly: true });
      // a file in WAL mode (rosbag2's preset "resilient") can be read without shared memory only so
      database.exec('PRAGMA locking_mode=EXCLUSIVE');
      return new SqliteSource(database, folder);
    } catch (error) {
      database?.close();
      await folder.remove();
      throw error;
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the interface also serves files that are read asynchronously
  async *read(topics: readonly string[] | undefined): AsyncGenerator<BagMessage> {
    const ids = [...this.#topicOf].filter(([, { name }]) => topics?.includes(name) ?? true).map(([id]) => id);
    // two statements, since one would sort the messages' bytes too where a bag has lost its index
    const order = this.#database.prepare(
      `SELECT id, topic_id, timestamp FROM messages WHERE topic_id IN (${ids.join()}) ORDER BY timestamp, id`,
    );
    const content = this.#database.prepare('SELECT data FROM messages WHERE id = ?');
    try {
      for (const row of order.iterate() as IterableIterator<Row>) {
        const { data } = content.get(row['id']) as Row;
        const logTime = BigInt(row['timestamp'] as number | bigint);
        yield {
          topic: this.#topicOf.get(Number(row['topic_id']))!,
          logTime,
          publishTime: logTime,
          data: data as Uint8Array,
        };
      }
    } finally {
      order.finalize();
      content.finalize();
    }
  }

  async close(): Promise<void> {
    this.#database.close();
    await this.#folder.remove();
  }
}

function readTopics(database: SqliteDatabase): ReadonlyMap<number, CountedTopic> {
  const all = (sql: string): readonly Row[] => database.all(sql) as Row[];
  const counts = new Map(
    all('SELECT topic_id, count(*) AS count FROM messages GROUP BY topic_id').map((row) => [
      row['topic_id'],
      Number(row['count']),
    ]),
  );
  // from schema version 4 on (Iron)
  const hasDefinitions = all("SELECT 1 FROM sqlite_master WHERE name = 'message_definitions'").length > 0;
  const definitions = new Map(
    (hasDefinitions ? all('SELECT * FROM message_definitions') : []).map((row) => [row['topic_type'], row]),
  );
  return new Map(
    all('SELECT * FROM topics').map((row) => {
      const type = row['type'] as string;
      return [
        Number(row['id']),
        {
          name: row['name'] as string,
          type,
          messageEncoding: row['serialization_format'] as string,
          ...schemaOf(type, definitions.get(type)),
          // the keys of rosbag2's MCAP storage
          metadata: new Map(
            Object.entries({
              offered_qos_profiles: row['offered_qos_profiles'],
              topic_type_hash: row['type_description_hash'],
            }).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
          ),
          messageCount: counts.get(row['id']) ?? 0,
        },
      ];
    }),
  );
}

/** As recorded, else as this project knows the type, else empty. */
function schemaOf(type: string, row: Row | undefined): Pick<CountedTopic, 'schemaEncoding' | 'schema'> {
  const recorded = row?.['encoded_message_definition'] as string | undefined;
  const text = recorded || (definitionOf(type) ?? '');
  return {
    schemaEncoding: recorded ? (row!['encoding'] as string) : 'ros2msg',
    schema: new TextEncoder().encode(text),
  };
}
