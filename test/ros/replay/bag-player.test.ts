import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BagReader } from '../../../src/bag/bag-reader.js';
import { MessageCodec } from '../../../src/messages/message-codec.js';
import type { Header } from '../../../src/messages/ros-types.js';
import { nsFromTime } from '../../../src/messages/stamp.js';
import { PERIOD_NS, START_NS, writeDrive } from '../../bag/drive-bag.js';
import { MemoryBag } from '../../bag/memory-bag.js';
import { arrayBytes, type ArrayFile, type Peer } from '../peer.js';
import { Ros2Graph, requireRos2, type Ros2Environment } from '../ros2-graph.js';
import { repeatUntil } from '../waiting.js';

interface ClockMessage {
  readonly clock: { readonly sec: number; readonly nanosec: number };
}
interface ImageMessage {
  readonly header: Header;
  readonly data: ArrayFile | readonly number[];
}

const IMAGES = '/CAM_FRONT/image_raw/compressed';
const FRAMES = 4;

describe('bdc-occ play', function () {
  this.timeout(120_000);
  let ros: Ros2Environment;
  let graph: Ros2Graph;
  let peer: Peer;
  let bag: string;

  before(function () {
    ros = requireRos2(this);
  });
  beforeEach(async () => {
    graph = new Ros2Graph(ros);
    peer = graph.startPeer();
    bag = path.join(graph.folder, 'drive.mcap');
    const memory = new MemoryBag();
    await writeDrive(memory, { frames: FRAMES });
    await writeFile(bag, memory.bytes);
  });
  afterEach(() => graph.dispose());

  const stampOf = ({ header }: ImageMessage): bigint => nsFromTime(header.stamp);
  const timeOf = ({ clock }: ClockMessage): bigint => nsFromTime(clock);
  const nextImage = (): Promise<ImageMessage> => peer.next<ImageMessage>(IMAGES);
  const nextClock = (accepts?: (message: ClockMessage) => boolean): Promise<ClockMessage> =>
    peer.next('/clock', accepts);

  async function listen(): Promise<void> {
    await peer.subscribe(IMAGES, 'sensor_msgs/msg/CompressedImage', { reliability: 'reliable' });
    await peer.subscribe('/clock', 'rosgraph_msgs/msg/Clock', { reliability: 'best_effort' });
  }

  it('sends the messages of the bag, byte for byte, and ends', async () => {
    await listen();
    const player = graph.startProgram(['play', bag, '--wait-for-images']);
    const codec = new MessageCodec();
    const reader = await BagReader.open(bag);
    for await (const { data } of reader.messages({ topics: [IMAGES] })) {
      const [sent, received] = [codec.decode('sensor_msgs/msg/CompressedImage', data), await nextImage()];
      assert.equal(stampOf(received), nsFromTime(sent.header.stamp));
      assert.ok(arrayBytes(received.data).equals(Buffer.from(sent.data)));
    }
    await reader.close();
    assert.deepEqual(await player.exit(), { code: 0, signal: null }, player.log);
    assert.match(player.log, new RegExp(`the bag is over: ${FRAMES * 4 + 1} messages sent`));
  });

  it('offers what was recorded: latched /tf_static for late joiners, reliable images, best-effort /clock', async () => {
    const player = graph.startProgram(['play', bag, '--start-paused', '--wait-for-images']);
    await listen();
    // it cannot resume before it has found its listener
    await repeatUntil(nextImage(), () => peer.request({ op: 'trigger', service: '/bag_player/resume' }));
    await peer.subscribe('/tf_static', 'tf2_msgs/msg/TFMessage', {
      reliability: 'reliable',
      durability: 'transient_local',
    });
    const { transforms } = await peer.next<{ readonly transforms: readonly unknown[] }>('/tf_static');
    assert.equal(transforms.length, 2);
    const qosOf = async (topic: string): Promise<unknown> => peer.request({ op: 'publisher_qos', topic });
    assert.deepEqual(await qosOf('/clock'), [
      { type: 'rosgraph_msgs/msg/Clock', reliability: 'best_effort', durability: 'volatile' },
    ]);
    assert.deepEqual(await qosOf(IMAGES), [
      { type: 'sensor_msgs/msg/CompressedImage', reliability: 'reliable', durability: 'volatile' },
    ]);
    player.kill('SIGINT');
    assert.deepEqual(await player.exit(), { code: 0, signal: null }, player.log);
  });

  it('stands still while paused, and says where it is', async () => {
    await listen();
    graph.startProgram(['play', bag, '--wait-for-images', '--start-paused', '--clock-rate', '100']);
    for (let i = 0; i < 5; i++) assert.equal(timeOf(await nextClock()), START_NS);
    assert.match(
      JSON.stringify(await peer.request({ op: 'trigger', service: '/bag_player/toggle_paused' })),
      /"success":true.*playing at 1700000000\./,
    );
    for (let i = 0; i < FRAMES; i++)
      assert.equal(stampOf(await nextImage()), START_NS + BigInt(i) * PERIOD_NS);
    await nextClock((message) => timeOf(message) > START_NS);
  });

  it('goes at its rate, and from its offset, latched messages before that included', async () => {
    await listen();
    await peer.subscribe('/tf_static', 'tf2_msgs/msg/TFMessage', { durability: 'transient_local' });
    const offset = ['--start-offset', '0.15', '--rate', '0.1'];
    graph.startProgram(['play', bag, '--wait-for-images', '--clock-rate', '50', ...offset]);
    await peer.next('/tf_static');
    const began = performance.now();
    const first = timeOf(await nextClock());
    assert.ok(first >= START_NS + 150_000_000n, `${first}`);
    assert.equal(stampOf(await nextImage()), START_NS + 2n * PERIOD_NS);
    assert.equal(stampOf(await nextImage()), START_NS + 3n * PERIOD_NS);
    // 0.15 s of the bag at a tenth of its speed; an earlier end would mean that nobody waits
    assert.ok(performance.now() - began > 1000);
  });

  it('plays in a loop, and takes the clock back each time', async () => {
    await listen();
    graph.startProgram(['play', bag, '--wait-for-images', '--loop', '--clock-rate', '100']);
    for (let i = 0; i < 2 * FRAMES; i++) {
      assert.equal(stampOf(await nextImage()), START_NS + BigInt(i % FRAMES) * PERIOD_NS);
    }
    let last = 0n;
    await nextClock((message) => {
      const isBack = timeOf(message) < last;
      last = timeOf(message);
      return isBack;
    });
  });

  it('leaves out a topic whose message type is not here, and says so', async () => {
    const memory = new MemoryBag();
    await writeDrive(memory, { frames: FRAMES, oddTopic: true });
    await writeFile(bag, memory.bytes);
    await listen();
    const player = graph.startProgram(['play', bag, '--wait-for-images']);
    await nextImage();
    assert.equal((await player.exit()).code, 0);
    assert.match(
      player.log,
      /topic \/odd is left out: messages of type my_msgs\/msg\/Odd cannot be sent here/,
    );
  });

  for (const [what, options, message] of [
    [
      'a topic that the bag does not have',
      ['--topics', `${IMAGES},/tf_statics`],
      /--topics: expected topics of the bag \(.*\), found "\/tf_statics"; did you mean "\/tf_static"\? \[PLAY_TOPIC_UNKNOWN\]/,
    ],
    [
      'to wait for images where none are played',
      ['--topics', '/tf_static', '--wait-for-images'],
      /expected a topic of sensor_msgs\/msg\/Image or CompressedImage .*, found \/tf_static; play without .*\[PLAY_NO_IMAGES\]/,
    ],
  ] as const) {
    it(`refuses ${what}, with exit code 2`, async () => {
      const player = graph.startProgram(['play', bag, ...options]);
      assert.deepEqual(await player.exit(), { code: 2, signal: null }, player.log);
      assert.match(player.log, message);
    });
  }

  it('refuses a bag that is none, with exit code 2', async () => {
    const player = graph.startProgram(['play', path.join(graph.folder, 'none.mcap')]);
    assert.deepEqual(await player.exit(), { code: 2, signal: null });
    assert.match(player.log, /cannot read bag .*none\.mcap.*\[BAG_UNREADABLE\]/);
  });
});
