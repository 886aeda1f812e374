import { McapIndexedReader, McapWriter } from '@mcap/core';
import assert from 'node:assert/strict';
import { BagReader } from '../../src/bag/bag-reader.js';
import type { BagMessage } from '../../src/bag/message-source.js';
import { MemoryBag } from './memory-bag.js';
import { writeDrive } from './drive-bag.js';

/** Small chunks, so that a cut loses little; stored as they are, so that bytes can be found and changed. */
async function drive(): Promise<Uint8Array> {
  const bag = new MemoryBag();
  await writeDrive(bag, { frames: 10, writer: { compression: 'none', chunkSize: 3000 } });
  // a copy: slices of a Buffer share its memory
  return new Uint8Array(bag.bytes);
}

const open = (bytes: Uint8Array): Promise<BagReader> => BagReader.readFrom(new MemoryBag(bytes), 'test.mcap');

async function read(bytes: Uint8Array): Promise<{ reader: BagReader; messages: BagMessage[] }> {
  const reader = await open(bytes);
  const messages: BagMessage[] = [];
  for await (const message of reader.messages()) messages.push(message);
  return { reader, messages };
}

describe('a damaged bag', () => {
  let whole: Uint8Array;
  before(async () => (whole = await drive()));

  it('that is cut is read as far as it goes, and says so', async () => {
    const all = (await read(whole)).messages;
    assert.equal(all.length, 41);
    for (const share of [0.3, 0.5, 0.7, 0.9]) {
      const { reader, messages } = await read(whole.subarray(0, Math.floor(whole.length * share)));
      assert.equal(reader.indexed, false);
      assert.ok(messages.length > 0 && messages.length <= all.length, `${share}: ${messages.length}`);
      assert.equal(reader.messageCount, messages.length);
      assert.equal(reader.warnings.length, 1);
      assert.match(reader.warnings[0]!, new RegExp(`cut or damaged.* first ${messages.length} messages`));
      messages.forEach(({ data, logTime }, i) => {
        assert.deepEqual([data, logTime], [all[i]!.data, all[i]!.logTime]);
      });
    }
  });

  it('never fails in an unclear way, wherever it is cut', async () => {
    for (let length = 0; length < whole.length; length += 97) {
      try {
        await read(whole.subarray(0, length));
      } catch (error) {
        const { code } = error as { code: string };
        assert.ok(['BAG_EMPTY', 'BAG_NOT_ROS2'].includes(code), `${length} bytes: ${String(error)}`);
      }
    }
  });

  it('that lost the index only is read completely', async () => {
    const { reader, messages } = await read(whole.subarray(0, -40));
    assert.equal(reader.indexed, false);
    assert.equal(messages.length, 41);
  });

  it('with a changed byte in a chunk is refused where the chunk is read', async () => {
    const bytes = whole.slice();
    const at = Buffer.from(bytes).indexOf('jpeg');
    bytes[at] = bytes[at]! ^ 1;
    const reader = await open(bytes);
    await assert.rejects(
      async () => {
        for await (const message of reader.messages()) assert.ok(message.data.length > 0);
      },
      { code: 'BAG_DAMAGED', message: /CRC/ },
    );
  });

  it('whose chunk claims an absurd size is refused without asking for the memory', async () => {
    const bag = new MemoryBag();
    await writeDrive(bag, { writer: { compression: 'zstd', chunkSize: 3000 } });
    const view = new DataView(bag.bytes.buffer, bag.bytes.byteOffset);
    // uncompressed_size, in front of the CRC and the name of the compression
    const at = Buffer.from(bag.bytes).indexOf(Buffer.from('\x04\x00\x00\x00zstd')) - 12;
    view.setBigUint64(at, 1n << 45n, true);
    await assert.rejects(
      async () => {
        const { messages } = await read(bag.bytes);
        assert.fail(`${messages.length} messages were read`);
      },
      { code: 'BAG_DAMAGED', message: /too large to be true/ },
    );
  });

  it('whose record claims an absurd length is read up to it', async () => {
    const readable = new MemoryBag(whole);
    const { dataEndOffset } = await McapIndexedReader.Initialize({ readable });
    const cut = new Uint8Array(Number(dataEndOffset) + 20);
    cut.set(whole.subarray(0, Number(dataEndOffset)));
    cut[Number(dataEndOffset)] = 0x06; // a chunk
    new DataView(cut.buffer).setBigUint64(Number(dataEndOffset) + 1, 1n << 60n, true);
    const { reader, messages } = await read(cut);
    assert.equal(messages.length, 41);
    assert.match(reader.warnings[0]!, /cut or damaged/);
  });
});

describe('a bag that is none', () => {
  const cases: readonly (readonly [what: string, bytes: Uint8Array, code: string, message: RegExp])[] = [
    ['of no bytes', new Uint8Array(), 'BAG_EMPTY', /0 bytes/],
    [
      'of garbage',
      new TextEncoder().encode('this is not a bag at all'),
      'BAG_NOT_ROS2',
      /neither by its first bytes/,
    ],
    [
      'of three bytes',
      Uint8Array.of(0x89, 0x4d, 0x43),
      'BAG_NOT_ROS2',
      /expected test.mcap to be a bag of ROS 2/,
    ],
    ['of ROS 1', new TextEncoder().encode('#ROSBAG V2.0\nabc'), 'BAG_NOT_ROS2', /ROS 1/],
  ];
  for (const [what, bytes, code, message] of cases) {
    it(`${what} is refused with a hint`, () => assert.rejects(open(bytes), { code, message }));
  }

  it('because it has no messages is refused', async () => {
    const bag = new MemoryBag();
    await writeDrive(bag, { frames: 0, transforms: false });
    await assert.rejects(open(bag.bytes), { code: 'BAG_EMPTY' });
  });
});

describe('a bag of another writer', () => {
  it('without chunks is read in the order of the file', async () => {
    const bag = new MemoryBag();
    const writer = new McapWriter({ writable: bag, useChunks: false });
    await writer.start({ profile: 'ros2', library: 'test' });
    const schemaId = await writer.registerSchema({
      name: 'a/msg/B',
      encoding: 'ros2msg',
      data: new Uint8Array(),
    });
    const channelId = await writer.registerChannel({
      topic: '/b',
      schemaId,
      messageEncoding: 'cdr',
      metadata: new Map(),
    });
    for (const logTime of [3n, 1n, 2n]) {
      await writer.addMessage({
        channelId,
        sequence: 0,
        logTime,
        publishTime: logTime,
        data: new Uint8Array(4),
      });
    }
    await writer.end();
    const { reader, messages } = await read(bag.bytes);
    assert.deepEqual(
      messages.map(({ logTime }) => logTime),
      [3n, 1n, 2n],
    );
    assert.match(reader.warnings[0]!, /has no index/);
  });
});
