import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BagReader } from '../../src/bag/bag-reader.js';
import { MessageCodec } from '../../src/messages/message-codec.js';
import { readOccupiedVoxelsCloud } from '../../src/messages/occupied-voxels-cloud.js';
import { nsFromTime } from '../../src/messages/stamp.js';
import { START_NS, PERIOD_NS, writeDrive, type Drive } from '../bag/drive-bag.js';
import { MemoryBag } from '../bag/memory-bag.js';
import type { ReplayReport } from '../../src/cli/replay-summary.js';
import { runProgram, type ProgramEnd } from './run-program.js';

const MODEL = fileURLToPath(
  new URL('../fixtures/golden/network-six-cameras/model.safetensors', import.meta.url),
);
const CAMERAS = ['CAM_FRONT', 'CAM_LEFT', 'CAM_BACK', 'CAM_RIGHT'];

describe('bdc-occ replay', function () {
  this.timeout(60_000);
  let folder: string;
  let bag: string;
  let out: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bdc-replay-'));
    bag = join(folder, 'drive.mcap');
    out = join(folder, 'out.mcap');
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function record(drive: Drive, part = 1): Promise<void> {
    const memory = new MemoryBag();
    await writeDrive(memory, { cameras: CAMERAS, ...drive });
    await writeFile(bag, memory.bytes.subarray(0, Math.floor(memory.bytes.length * part)));
  }

  const replay = (...args: readonly string[]): Promise<ProgramEnd> =>
    runProgram('replay', bag, '--out', out, '--model', MODEL, '--threads', '1', ...args);

  async function report(...args: readonly string[]): Promise<ReplayReport> {
    const { code, stdout, stderr } = await replay('--json', ...args);
    assert.equal(code, 0, stderr);
    // one object and nothing else
    return JSON.parse(stdout) as ReplayReport;
  }

  it('prints one object, whose figures fit what it has written', async () => {
    await record({ frames: 3 });
    const { latency_ms: latency, ...figures } = await report();
    assert.equal(figures.model, 'golden-6-camera-V3-real');
    assert.equal(figures.threads, 1);
    assert.deepEqual([...figures.cameras].sort(), [...CAMERAS].sort());
    assert.deepEqual(figures.frames, { received: 3, processed: 3, dropped: 0 });
    assert.deepEqual([figures.faults, figures.warnings, figures.out], [[], [], out]);
    assert.deepEqual(Object.keys(latency), ['p50', 'p99', 'modules', 'preprocess', 'decode']);
    assert.deepEqual(Object.keys(latency.modules), [
      'image_encoder',
      'view_transformer',
      'bev_encoder',
      'heads',
    ]);
    assert.ok(latency.p50 > 0 && latency.p99 >= latency.p50);

    const codec = new MessageCodec();
    const reader = await BagReader.open(out);
    const counts = new Map(reader.topics.map(({ name, messageCount }) => [name, messageCount]));
    for (const name of ['occupied_voxels', 'occupancy_grid', 'detections', 'markers']) {
      assert.equal(counts.get(`/bdc_occ/${name}`), 3, name);
    }
    assert.equal(counts.get('/CAM_FRONT/image_raw/compressed'), 3);
    assert.equal(counts.get('/tf_static'), 1);
    const points: number[] = [];
    const stamps: bigint[] = [];
    for await (const { data } of reader.messages({ topics: ['/bdc_occ/occupied_voxels'] })) {
      const cloud = codec.decode('sensor_msgs/msg/PointCloud2', data);
      points.push(readOccupiedVoxelsCloud(cloud).length);
      stamps.push(nsFromTime(cloud.header.stamp));
      assert.equal(cloud.header.frame_id, 'base_link');
    }
    await reader.close();
    assert.deepEqual(stamps, [START_NS, START_NS + PERIOD_NS, START_NS + 2n * PERIOD_NS]);
    assert.equal(figures.occupied_voxels_mean, points.reduce((sum, count) => sum + count, 0) / 3);
    assert.ok(points.every((count) => count > 0));
  });

  it('writes the same bytes each time', async () => {
    await record({ frames: 2 });
    await report();
    const first = await readFile(out);
    await report();
    assert.ok(first.equals(await readFile(out)));
  });

  it('stops at the limit, writes results only and takes the cameras that it is told', async () => {
    await record({ frames: 4 });
    const figures = await report(
      '--limit',
      '2',
      '--results-only',
      '--cameras',
      'CAM_LEFT,CAM_FRONT',
      '--compression',
      'none',
    );
    assert.deepEqual(figures.frames, { received: 2, processed: 2, dropped: 0 });
    assert.deepEqual(figures.cameras, ['CAM_LEFT', 'CAM_FRONT']);
    const reader = await BagReader.open(out);
    assert.ok(reader.topics.every(({ name }) => name.startsWith('/bdc_occ/')));
    await reader.close();
  });

  describe('with a network that keeps the previous frame', () => {
    const temporal = MODEL.replace('network-six-cameras', 'network-temporal');
    const cameras = ['CAM_FRONT', 'CAM_FRONT_RIGHT'];

    /** The grids of the frames, and how often it did without. */
    async function grids(...args: readonly string[]) {
      const { frames, history_resets: resets } = await report('--model', temporal, ...args);
      assert.equal(frames.processed, 4);
      const reader = await BagReader.open(out);
      const found: string[] = [];
      for await (const { data } of reader.messages({ topics: ['/bdc_occ/occupied_voxels'] })) {
        found.push(Buffer.from(data).toString('base64'));
      }
      await reader.close();
      return { found, resets };
    }

    it('uses it from the second frame on, by the motion of the transforms', async () => {
      await record({ cameras, frames: 4, odomFrame: 'odom' });
      const moving = await grids();
      const alone = await grids('--odom-frame', 'map');
      assert.deepEqual(moving.resets, { first: 1 });
      assert.deepEqual(alone.resets, { first: 1, no_pose: 3 });
      assert.equal(moving.found[0], alone.found[0], 'the first frame has no memory');
      for (const frame of [1, 2, 3])
        assert.notEqual(moving.found[frame], alone.found[frame], `frame ${frame}`);
    });
  });

  it('reads a cut bag as far as it goes and warns', async () => {
    await record({ frames: 20, writer: { compression: 'none', chunkSize: 4000 } }, 0.6);
    const { frames, warnings } = await report();
    assert.ok(frames.processed > 2 && frames.processed < 20, `${frames.processed}`);
    assert.match(warnings[0]!, /cut or damaged/);
  });

  it('drops and counts frames whose images cannot be used, and goes on', async () => {
    await record({ frames: 3, image: (_camera, frame, right) => (frame === 1 ? withoutJpeg(right) : right) });
    const { frames, faults } = await report();
    assert.deepEqual(frames, { received: 3, processed: 2, dropped: 1 });
    assert.ok(faults.some(({ code, count }) => code === 'CAMERA_IMAGES_MISSING' && count === 1));
    assert.ok(
      faults.some(({ code, camera }) => code === 'CAMERA_IMAGE_UNDECODABLE' && camera === 'CAM_BACK'),
    );
  });

  it('says at the end how often which transform was missing', async () => {
    await record({ frames: 3, transforms: false });
    const { code, stdout, stderr } = await replay('--json');
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^error: no frame could be made of the bag \(3 dropped\): 3 × no transform from "CAM_.*\[REPLAY_NO_FRAMES\]\n$/,
    );
  });

  it('leaves an earlier result as it is where it fails', async () => {
    await record({ frames: 1 });
    await report();
    const before = await readFile(out);
    await record({ frames: 3, transforms: false });
    assert.equal((await replay()).code, 2);
    assert.ok(before.equals(await readFile(out)));
    assert.deepEqual((await readdir(folder)).sort(), ['drive.mcap', 'out.mcap']);
  });

  it('refuses CameraInfo of zeros in the same way', async () => {
    await record({ frames: 1, info: () => ({ k: new Array<number>(9).fill(0) }) });
    const { code, stderr } = await replay();
    assert.equal(code, 2);
    assert.match(stderr, /not calibrated/);
  });

  it('refuses a bag without cameras, a bag without calibration, and an empty one', async () => {
    for (const [drive, code] of [
      [{ cameras: [] }, 'BAG_NO_CAMERAS'],
      [{ calibrated: false }, 'BAG_NO_CAMERAS'],
      [{ frames: 0, transforms: false }, 'BAG_EMPTY'],
    ] as const) {
      await record(drive);
      const end = await replay();
      assert.equal(end.code, 2);
      assert.match(end.stderr, new RegExp(`^error: .*\\[${code}\\]\n$`));
    }
  });

  it('never writes over the bag that it reads', async () => {
    await record({ frames: 1 });
    const { size } = await stat(bag);
    const end = await runProgram('replay', bag, '--out', bag, '--model', MODEL);
    assert.equal(end.code, 2);
    assert.match(end.stderr, /REPLAY_SAME_FILE/);
    assert.equal((await stat(bag)).size, size);
  });

  it('names the cameras where the anchor is none of them', async () => {
    await record({ frames: 1 });
    const end = await replay('--anchor', 'CAM_TOP');
    assert.equal(end.code, 2);
    assert.match(end.stderr, /CAM_FRONT, CAM_BACK, CAM_LEFT, CAM_RIGHT, found "CAM_TOP"/);
  });

  it('prints a table for people', async () => {
    await record({ frames: 2 });
    const { code, stdout } = await replay();
    assert.equal(code, 0);
    assert.match(stdout, /frames +2 received, 2 processed, 0 dropped\nlatency +median [\d.]+ ms/);
  });
});

/** The message with its picture spoilt. */
function withoutJpeg(message: Uint8Array): Uint8Array {
  const bytes = message.slice();
  const start = Buffer.from(bytes).indexOf(Buffer.from([0xff, 0xd8, 0xff]));
  return bytes.fill(0, start);
}
