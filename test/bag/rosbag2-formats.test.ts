import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import sqlite from 'node-sqlite3-wasm';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { BagReader } from '../../src/bag/bag-reader.js';
import type { BagMessage } from '../../src/bag/message-source.js';
import { recordedQos } from '../../src/bag/qos-profiles.js';
import { requirePythonTools } from '../python-tools.js';
import { writeDrive } from './drive-bag.js';
import { MemoryBag } from './memory-bag.js';

interface Content {
  readonly reader: BagReader;
  readonly messages: readonly BagMessage[];
}

async function contentOf(path: string, topics?: readonly string[]): Promise<Content> {
  const reader = await BagReader.open(path);
  const messages: BagMessage[] = [];
  for await (const message of reader.messages(topics ? { topics } : {})) messages.push(message);
  await reader.close();
  return { reader, messages };
}

const plain = ({ topic, logTime, data }: BagMessage): unknown => [topic.name, logTime, Buffer.from(data)];
const sorted = (messages: readonly BagMessage[]): readonly unknown[] =>
  messages.map(plain).sort((a, b) => (String(a) < String(b) ? -1 : 1));

const temporaryFolders = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('bdc-occ-bag-'));

describe('a bag that another program has written in a format of rosbag2', function () {
  this.timeout(60_000);
  let folder: string;
  let drive: string;
  let original: Content;
  let tools: string;

  before(async function () {
    tools = requirePythonTools(this);
    folder = await mkdtemp(join(tmpdir(), 'bdc-formats-'));
    drive = join(folder, 'drive.mcap');
    const memory = new MemoryBag();
    await writeDrive(memory, { frames: 6 });
    await writeFile(drive, memory.bytes);
    original = await contentOf(drive);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  let bags = 0;
  /** The drive, written again by the Python library `rosbags`. */
  function converted(...options: readonly string[]): string {
    const bag = join(folder, `bag_${bags++}`);
    execFileSync(join(tools, 'bin/rosbags-convert'), ['--src', drive, '--dst', bag, ...options]);
    return bag;
  }

  function assertEqualsOriginal({ reader, messages }: Content): void {
    assert.equal(reader.indexed, true);
    assert.deepEqual(sorted(messages), sorted(original.messages));
    const times = messages.map(({ logTime }) => logTime);
    assert.deepEqual(times, [...times].sort());
    const describeTopics = (bag: BagReader): unknown =>
      bag.topics
        .map(({ name, type, messageCount, metadata }) => ({
          ...{ name, type, messageCount },
          qos: recordedQos(metadata.get('offered_qos_profiles')),
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    assert.deepEqual(describeTopics(reader), describeTopics(original.reader));
    for (const { name, schema } of reader.topics) {
      const wanted = original.reader.topics.find((topic) => topic.name === name)!;
      // the library writes some comments and blank lines in another way
      const fields = (text: Uint8Array): string => Buffer.from(text).toString().split('\n')[0]!;
      assert.equal(fields(schema), fields(wanted.schema), name);
    }
  }

  for (const [what, options] of [
    ['SQLite (metadata version 8)', ['--dst-storage', 'sqlite3', '--dst-version', '8']],
    ['SQLite (metadata version 9)', ['--dst-storage', 'sqlite3', '--dst-version', '9']],
    ['SQLite, the file packed with zstd', ['--dst-storage', 'sqlite3', '--compress', 'zstd']],
    [
      'SQLite, each message packed with zstd',
      ['--dst-storage', 'sqlite3', '--compress', 'zstd', '--compress-mode', 'message'],
    ],
    ['MCAP', ['--dst-storage', 'mcap', '--dst-version', '9']],
    ['MCAP, the file packed with zstd', ['--dst-storage', 'mcap', '--compress', 'zstd']],
    [
      'MCAP, each message packed with zstd',
      ['--dst-storage', 'mcap', '--compress', 'zstd', '--compress-mode', 'message'],
    ],
  ] as const) {
    it(`is read: ${what}`, async () => {
      const before = temporaryFolders();
      const content = await contentOf(converted(...options));
      assert.deepEqual(content.reader.warnings, []);
      assertEqualsOriginal(content);
      assert.deepEqual(temporaryFolders(), before, 'temporary files are gone');
    });
  }

  it('gives the messages of some topics only', async () => {
    const topics = ['/CAM_BACK/image_raw/compressed', '/tf_static'];
    const { messages } = await contentOf(converted('--dst-storage', 'sqlite3'), topics);
    const wanted = original.messages.filter(({ topic }) => topics.includes(topic.name));
    assert.deepEqual(sorted(messages), sorted(wanted));
  });

  it('is read as one where it was split, in the order of metadata.yaml', async () => {
    const bag = converted('--dst-storage', 'mcap');
    const [early, late] = ['bag_z.mcap', 'bag_a.mcap'];
    for (const [name, start] of [
      [early, 0],
      [late, 3],
    ] as const) {
      const part = new MemoryBag();
      const skip = (frame: number): boolean => frame < start || frame >= start + 3;
      await writeDrive(part, {
        frames: 6,
        transforms: start === 0,
        image: (_camera, frame, right) => (skip(frame) ? undefined : right),
      });
      await writeFile(join(bag, name), part.bytes);
    }
    const files = { relative_file_paths: [early, late] };
    await writeFile(join(bag, 'metadata.yaml'), stringify({ rosbag2_bagfile_information: files }));
    const { reader, messages } = await contentOf(bag, ['/tf_static', '/CAM_FRONT/image_raw/compressed']);
    assert.deepEqual(
      messages.map(plain),
      original.messages
        .filter(({ topic }) => ['/tf_static', '/CAM_FRONT/image_raw/compressed'].includes(topic.name))
        .map(plain),
    );
    const front = reader.topics.filter(({ name }) => name === '/CAM_FRONT/image_raw/compressed');
    assert.deepEqual(
      front.map(({ messageCount }) => messageCount),
      [6],
    );
    // one object for each topic, so that a copy has one channel for it
    assert.equal(new Set(messages.map(({ topic }) => topic)).size, 2);
  });

  it('is read where metadata.yaml is missing, and says so', async () => {
    const bag = converted('--dst-storage', 'sqlite3');
    await rm(join(bag, 'metadata.yaml'));
    const content = await contentOf(bag);
    assertEqualsOriginal(content);
    assert.match(content.reader.warnings[0]!, /no usable metadata\.yaml .*its 1 files/);
  });

  it('names the file that metadata.yaml lists and that is not there', async () => {
    const bag = converted('--dst-storage', 'sqlite3');
    const [file] = readdirSync(bag).filter((name) => name.endsWith('.db3'));
    await rm(join(bag, file!));
    await writeFile(join(bag, 'other.db3'), '');
    await assert.rejects(BagReader.open(bag), { code: 'BAG_FILE_MISSING', message: new RegExp(file!) });
  });

  it('is read from a folder that nobody may write to, by two readers at once', async () => {
    const bag = converted('--dst-storage', 'sqlite3');
    await chmod(bag, 0o555);
    const [first, second] = [await BagReader.open(bag), await BagReader.open(bag)];
    for (const reader of [first, second]) {
      let count = 0;
      for await (const message of reader.messages()) count += message.data.length > 0 ? 1 : 0;
      assert.equal(count, original.messages.length);
      await reader.close();
    }
    assert.deepEqual(
      readdirSync(bag).filter((name) => name.endsWith('.lock')),
      [],
    );
    await chmod(bag, 0o755);
  });

  it('is read in WAL mode (preset "resilient"), also what a killed recorder left in the WAL', async () => {
    const bag = converted('--dst-storage', 'sqlite3');
    const [file] = readdirSync(bag).filter((name) => name.endsWith('.db3'));
    const path = join(bag, file!);
    const killed = join(bag, 'killed.db3');
    // Python's SQLite has shared memory, which WAL needs for writing
    const script = [
      'import shutil, sqlite3, sys',
      'path, killed = sys.argv[1:]',
      'bag = sqlite3.connect(path)',
      'bag.execute("PRAGMA journal_mode=WAL")',
      'bag.execute("INSERT INTO messages(topic_id, timestamp, data) SELECT topic_id, timestamp + 1, data FROM messages LIMIT 1")',
      'bag.commit()',
      'shutil.copy(path, killed)',
      'shutil.copy(path + "-wal", killed + "-wal")',
      'bag.close()',
    ];
    execFileSync(join(tools, 'bin/python'), ['-c', script.join('\n'), path, killed]);
    assert.equal((await readFile(path)).readUInt8(18), 2, 'the file is in WAL mode');
    assert.ok((await stat(`${killed}-wal`)).size > 0);
    for (const recording of [path, killed]) {
      assert.equal((await contentOf(recording)).messages.length, original.messages.length + 1);
    }
  });

  it('is read in the right order where its index is lost', async () => {
    const bag = converted('--dst-storage', 'sqlite3');
    const [file] = readdirSync(bag).filter((name) => name.endsWith('.db3'));
    const database = new sqlite.Database(join(bag, file!));
    database.exec('DROP INDEX timestamp_idx');
    database.exec('UPDATE messages SET timestamp = 3 * (id * 7 % 5)');
    database.close();
    const times = (await contentOf(bag)).messages.map(({ logTime }) => logTime);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => Number(a - b)),
    );
  });

  it('of a type without definition warns of it', async () => {
    const bag = converted('--dst-storage', 'sqlite3', '--dst-version', '8');
    const [file] = readdirSync(bag).filter((name) => name.endsWith('.db3'));
    const database = new sqlite.Database(join(bag, file!));
    // as Humble and before wrote bags
    database.exec('DROP TABLE message_definitions');
    database.exec("UPDATE topics SET type = 'my_msgs/msg/Odd' WHERE name = '/tf_static'");
    database.close();
    const { reader } = await contentOf(bag);
    assert.deepEqual(reader.warnings, [
      'the bag has no definition of my_msgs/msg/Odd; a copy of /tf_static will have none',
    ]);
    assert.match(
      Buffer.from(reader.topics.find(({ name }) => name.endsWith('camera_info'))!.schema).toString(),
      /float64\[9\] k/,
    );
  });

  it('that is cut or spoilt is a clear error', async () => {
    const sqliteBag = converted('--dst-storage', 'sqlite3');
    const packed = converted('--dst-storage', 'mcap', '--compress', 'zstd');
    const before = temporaryFolders();
    for (const bag of [sqliteBag, packed]) {
      const [file] = readdirSync(bag).filter((name) => !name.endsWith('.yaml'));
      const bytes = await readFile(join(bag, file!));
      for (const share of [0.1, 0.4, 0.8]) {
        const part = join(folder, file!);
        await writeFile(part, bytes.subarray(0, Math.floor(bytes.length * share)));
        await assert.rejects(contentOf(part), { code: 'BAG_DAMAGED' }, `${file} ${share}`);
      }
    }
    const noBag = join(folder, 'no-bag.db3');
    const database = new sqlite.Database(noBag);
    database.exec('CREATE TABLE cats(name TEXT)');
    database.close();
    await assert.rejects(BagReader.open(noBag), { code: 'BAG_DAMAGED', message: /no such table/ });
    assert.deepEqual(temporaryFolders(), before, 'temporary files are gone');
  });

  it('is refused where the messages are those of ROS 1', async () => {
    const bag = join(folder, 'ros1.bag');
    execFileSync(join(tools, 'bin/rosbags-convert'), [
      '--src',
      drive,
      '--dst',
      bag,
      '--dst-typestore',
      'ros1_noetic',
    ]);
    await assert.rejects(BagReader.open(bag), { code: 'BAG_NOT_ROS2', message: /a ROS 1 bag/ });
  });
});
