import { McapIndexedReader } from '@mcap/core';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { BagReader } from '../../src/bag/bag-reader.js';
import type { BagMessage } from '../../src/bag/message-source.js';
import { rosTopic } from '../../src/bag/bag-topic.js';
import { LATCHED_QOS } from '../../src/bag/qos-profiles.js';
import { BagWriter } from '../../src/bag/bag-writer.js';
import { COMPRESSIONS, decompressHandlers } from '../../src/bag/chunk-compression.js';
import { MessageCodec } from '../../src/messages/message-codec.js';
import { ODD_TOPIC } from './drive-bag.js';
import { MemoryBag } from './memory-bag.js';

const codec = new MessageCodec();
const header = (sec: number) => ({ stamp: { sec, nanosec: 0 }, frame_id: 'camera' });
const image = (sec: number) =>
  codec.encode('sensor_msgs/msg/CompressedImage', {
    header: header(sec),
    format: 'jpeg',
    data: new Uint8Array(5000).fill(sec),
  });

async function collect(messages: AsyncIterable<BagMessage>): Promise<BagMessage[]> {
  const all: BagMessage[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe('a bag that was written', () => {
  for (const compression of COMPRESSIONS) {
    it(`gives back its messages in the order of log time (${compression})`, async () => {
      const bag = new MemoryBag();
      const writer = await BagWriter.writeTo(bag, { compression, chunkSize: 20_000 });
      const images = await writer.addTopic(rosTopic('/cam/image', 'sensor_msgs/msg/CompressedImage'));
      const tf = await writer.addTopic(rosTopic('/tf_static', 'tf2_msgs/msg/TFMessage', LATCHED_QOS));
      const transforms = codec.encode('tf2_msgs/msg/TFMessage', { transforms: [] });
      for (let i = 10; i > 0; i--) await writer.write(images, image(i), BigInt(i) * 10n, BigInt(i));
      await writer.write(tf, transforms, 0n);
      await writer.close();

      const reader = await BagReader.readFrom(bag, 'memory');
      assert.equal(reader.indexed, true);
      assert.deepEqual(reader.warnings, []);
      assert.deepEqual(
        reader.topics.map(({ name, type, messageCount }) => [name, type, messageCount]),
        [
          ['/cam/image', 'sensor_msgs/msg/CompressedImage', 10],
          ['/tf_static', 'tf2_msgs/msg/TFMessage', 1],
        ],
      );
      const read = await collect(reader.messages());
      assert.deepEqual(
        read.map(({ logTime }) => logTime),
        [0n, 10n, 20n, 30n, 40n, 50n, 60n, 70n, 80n, 90n, 100n],
      );
      assert.deepEqual(read[0]!.data, transforms);
      assert.deepEqual(read[3]!.data, image(3));
      assert.equal(read[3]!.publishTime, 3n);
      assert.equal((await collect(reader.messages({ topics: ['/tf_static'] }))).length, 1);

      const chunks = (await openMcap(bag)).chunkIndexes;
      assert.ok(chunks.length > 1);
      assert.ok(chunks.every((chunk) => chunk.compression === (compression === 'none' ? '' : compression)));
    });
  }

  it('stores a chunk as it is where compression does not pay', async () => {
    const bag = new MemoryBag();
    const writer = await BagWriter.writeTo(bag, { compression: 'zstd' });
    const channel = await writer.addTopic(rosTopic('/image', 'sensor_msgs/msg/CompressedImage'));
    let state = 1;
    const noise = Uint8Array.from({ length: 50_000 }, () => (state = (state * 48271) % 2147483647) >> 8);
    await writer.write(channel, noise, 0n);
    await writer.close();
    assert.deepEqual(
      (await openMcap(bag)).chunkIndexes.map(({ compression }) => compression),
      [''],
    );
  });

  it('describes itself as rosbag2 does', async () => {
    const bag = new MemoryBag();
    const writer = await BagWriter.writeTo(bag);
    const channel = await writer.addTopic(rosTopic('/tf_static', 'tf2_msgs/msg/TFMessage', LATCHED_QOS));
    await writer.write(channel, codec.encode('tf2_msgs/msg/TFMessage', { transforms: [] }), 0n);
    await writer.close();

    const mcap = await openMcap(bag);
    assert.equal(mcap.header.profile, 'ros2');
    assert.deepEqual(
      [...mcap.channelsById.values()].map(({ messageEncoding }) => messageEncoding),
      ['cdr'],
    );
    const [schema] = [...mcap.schemasById.values()];
    assert.equal(schema!.encoding, 'ros2msg');
    assert.match(
      new TextDecoder().decode(schema!.data),
      /^geometry_msgs\/TransformStamped\[\] transforms\n={80}\nMSG: /,
    );
    const [profile] = parse([...mcap.channelsById.values()][0]!.metadata.get('offered_qos_profiles')!) as [
      Record<string, unknown>,
    ];
    // numbers of rmw/types.h: keep last, reliable, transient local
    assert.deepEqual([profile.history, profile.depth, profile.reliability, profile.durability], [1, 1, 1, 1]);
    assert.deepEqual(
      mcap.metadataIndexes.map(({ name }) => name),
      ['rosbag2'],
    );
  });

  it('passes topics of unknown types on unchanged', async () => {
    const bag = new MemoryBag();
    const writer = await BagWriter.writeTo(bag);
    await writer.write(await writer.addTopic(ODD_TOPIC), new Uint8Array([0, 1, 0, 0, 7, 0, 0, 0]), 5n);
    await writer.close();
    const reader = await BagReader.readFrom(bag, 'memory');
    assert.deepEqual(reader.topics, [{ ...ODD_TOPIC, messageCount: 1 }]);
  });
});

describe('a bag on disk', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'bdc-bag-'))));
  afterEach(() => rm(folder, { recursive: true }));

  async function write(path: string, time = 1): Promise<void> {
    const writer = await BagWriter.create(path);
    const channel = await writer.addTopic(rosTopic('/image', 'sensor_msgs/msg/CompressedImage'));
    await writer.write(channel, image(time), BigInt(time));
    await writer.close();
  }

  it('is found inside the folder that ros2 bag record makes', async () => {
    await write(join(folder, 'drive_0.mcap'));
    await writeFile(join(folder, 'metadata.yaml'), '');
    const reader = await BagReader.open(folder);
    assert.equal(reader.messageCount, 1);
    await reader.close();
  });

  it('is read whole where a folder has several files, in the order of their numbers', async () => {
    for (const part of [10, 2, 1]) await write(join(folder, `drive_${part}.mcap`), part);
    const reader = await BagReader.open(folder);
    const read = await collect(reader.messages());
    await reader.close();
    assert.deepEqual(
      read.map(({ logTime }) => logTime),
      [1n, 2n, 10n],
    );
  });

  it('that is not there, or cannot be written, is a clear error', async () => {
    await assert.rejects(BagReader.open(join(folder, 'none.mcap')), { code: 'BAG_UNREADABLE' });
    await mkdir(join(folder, 'taken'));
    await assert.rejects(BagWriter.create(join(folder, 'taken')), { code: 'OUTPUT_NOT_WRITABLE' });
  });

  it('takes the place of another one when it is complete, and not before', async () => {
    const path = join(folder, 'drive.mcap');
    await write(path, 1);
    const before = await readFile(path);
    const discarded = await BagWriter.create(path);
    const channel = await discarded.addTopic(rosTopic('/image', 'sensor_msgs/msg/CompressedImage'));
    void discarded.write(channel, image(2), 2n);
    await discarded.discard();
    assert.deepEqual(await readFile(path), before);
    assert.deepEqual(await readdir(folder), ['drive.mcap']);
    await write(path, 3);
    const reader = await BagReader.open(path);
    assert.deepEqual(
      (await collect(reader.messages())).map(({ logTime }) => logTime),
      [3n],
    );
    await reader.close();
  });

  it('that the disk has no room for is a clear error, and nothing is left of it', async function () {
    if (!existsSync('/dev/full')) this.skip();
    const path = join(folder, 'drive.mcap');
    await symlink('/dev/full', `${path}.part`);
    await assert.rejects(write(path), { code: 'OUTPUT_NOT_WRITABLE', message: /ENOSPC/ });
    assert.deepEqual(await readdir(folder), []);
  });
});

async function openMcap(bag: MemoryBag): Promise<McapIndexedReader> {
  return McapIndexedReader.Initialize({ readable: bag, decompressHandlers: await decompressHandlers() });
}
