import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { BdcError } from '../../src/errors.js';
import { MessageCodec } from '../../src/messages/message-codec.js';
import type { RosMessages, RosTypeName } from '../../src/messages/ros-types.js';
import { TYPE_HASHES } from '../../src/messages/type-hashes.js';

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/messages/${name}`, import.meta.url), 'utf8'));
const messages = fixture('messages.json') as RosMessages;
/** The same messages, serialised by rclpy. */
const serialised = fixture('messages.cdr.json') as Record<RosTypeName, { hash: string; cdr: string }>;
const types = Object.keys(messages) as RosTypeName[];
const bytesOf = (type: RosTypeName): Uint8Array => new Uint8Array(Buffer.from(serialised[type].cdr, 'hex'));

/** Typed arrays as plain ones, so that messages can be compared with those of the JSON file. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, item: unknown) =>
      ArrayBuffer.isView(item) ? Array.from(item as Uint8Array) : item,
    ),
  );

const isMalformed = (error: unknown): boolean =>
  error instanceof BdcError && error.kind === 'message' && error.code === 'MESSAGE_MALFORMED';

describe('MessageCodec', () => {
  const codec = new MessageCodec();

  it('knows every type that is in the fixture, and no other', () => {
    assert.deepEqual([...types].sort(), Object.keys(TYPE_HASHES).sort());
  });

  for (const type of types) {
    it(`writes and reads ${type} as rclpy does`, () => {
      const [ours, theirs] = [codec.encode(type, messages[type]), bytesOf(type)];
      assert.equal(ours.length, theirs.length);
      ours.forEach((byte, i) => {
        if (byte === theirs[i]) return;
        // only padding, which Fast CDR leaves as it finds it: nothing that is read depends on it
        assert.deepEqual(plain(codec.decode(type, ours.with(i, byte ^ 255))), messages[type], `byte ${i}`);
      });
      assert.deepEqual(plain(codec.decode(type, bytesOf(type))), messages[type]);
      assert.equal(TYPE_HASHES[type], serialised[type].hash);
    });

    it(`refuses ${type} cut off after any byte, wherever it lies in memory`, () => {
      const bytes = bytesOf(type);
      for (let length = 0; length < bytes.length; length++) {
        // more of the message follows in the same buffer: nothing of it may be read
        assert.throws(() => codec.decode(type, bytes.subarray(0, length)), isMalformed, `${length} bytes`);
      }
    });
  }

  it('reads big-endian messages', () => {
    const bytes = Buffer.from('00000000' + '00000005' + '00000007', 'hex');
    assert.deepEqual(codec.decode('builtin_interfaces/msg/Time', bytes), { sec: 5, nanosec: 7 });
  });

  it('reads a message that starts at an odd address', () => {
    const bytes = bytesOf('sensor_msgs/msg/CameraInfo');
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const info = codec.decode('sensor_msgs/msg/CameraInfo', shifted.subarray(3));
    assert.deepEqual(plain(info), messages['sensor_msgs/msg/CameraInfo']);
  });

  it('refuses absurd lengths without asking for the memory', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (const [type, at] of [
      ['tf2_msgs/msg/TFMessage', 4],
      ['vision_msgs/msg/Detection3DArray', 28],
      ['sensor_msgs/msg/CompressedImage', 40],
    ] as const) {
      const bytes = bytesOf(type);
      new DataView(bytes.buffer).setUint32(at, 0xffffffff, true);
      assert.throws(() => codec.decode(type, bytes), isMalformed, type);
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 1e6);
  });

  it('names the field that is at fault', () => {
    const bytes = bytesOf('tf2_msgs/msg/TFMessage');
    assert.throws(
      () => codec.decode('tf2_msgs/msg/TFMessage', bytes.subarray(0, -20)),
      /transforms\[1\]\.transform\.rotation/,
    );
  });

  it('refuses a string without its final zero, another encapsulation, and bytes left over', () => {
    const header = bytesOf('std_msgs/msg/Header');
    const withoutZero = header.with(header.lastIndexOf(0), 65);
    assert.throws(() => codec.decode('std_msgs/msg/Header', withoutZero), isMalformed);
    for (const kind of [2, 3, 6, 10, 255]) {
      assert.throws(() => codec.decode('std_msgs/msg/Header', header.with(1, kind)), isMalformed);
    }
    const long = new Uint8Array(header.length + 8);
    long.set(header);
    assert.throws(() => codec.decode('std_msgs/msg/Header', long), isMalformed);
    // Fast DDS pads to a multiple of four
    assert.deepEqual(
      codec.decode('std_msgs/msg/Header', long.subarray(0, -4)),
      messages['std_msgs/msg/Header'],
    );
  });

  it('never fails in another way, whichever byte is changed', () => {
    for (const type of types) {
      const bytes = bytesOf(type);
      for (let i = 0; i < bytes.length; i++) {
        for (const value of [0, 1, 127, 128, 255]) {
          try {
            codec.decode(type, bytes.with(i, value));
          } catch (error) {
            assert.ok(isMalformed(error), `${type}, byte ${i} = ${value}: ${String(error)}`);
          }
        }
      }
    }
  });
});
