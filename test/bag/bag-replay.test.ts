import assert from 'node:assert/strict';
import { BagReader } from '../../src/bag/bag-reader.js';
import { BagReplay } from '../../src/bag/bag-replay.js';
import { findCameras } from '../../src/bag/camera-topics.js';
import type { IntakeStatistics, RiggedFrame } from '../../src/perception/camera-intake.js';
import { PERIOD_NS, START_NS, writeDrive, type Drive } from './drive-bag.js';
import { MemoryBag } from './memory-bag.js';

interface Outcome {
  readonly frames: readonly RiggedFrame[];
  readonly statistics: IntakeStatistics;
  readonly messages: number;
}

async function replay(drive: Drive, odomFrame?: string): Promise<Outcome> {
  const bag = new MemoryBag();
  await writeDrive(bag, drive);
  const reader = await BagReader.readFrom(bag, 'test');
  const replay = new BagReplay({
    reader,
    cameras: findCameras(reader.topics),
    anchor: 'CAM_FRONT',
    baseFrame: 'base_link',
    maxSpreadMs: 50,
    ...(odomFrame !== undefined && { odomFrame }),
  });
  const frames: RiggedFrame[] = [];
  let messages = 0;
  for await (const step of replay.steps()) {
    frames.push(...step.frames);
    if (step.message) messages++;
  }
  return { frames, statistics: replay.statistics, messages };
}

const faults = ({ statistics }: Outcome): readonly unknown[] =>
  statistics.faults.map(({ code, camera, count }) => [code, camera, count]);

describe('BagReplay', () => {
  it('makes one frame of each set of images, the first too, whose CameraInfo comes behind it', async () => {
    const outcome = await replay({ frames: 4 });
    assert.equal(outcome.messages, 4 * 2 * 2 + 1);
    assert.deepEqual(
      outcome.frames.map(({ frame }) => frame.stamp),
      [0n, 1n, 2n, 3n].map((i) => START_NS + i * PERIOD_NS),
    );
    for (const { rig, frame } of outcome.frames) {
      assert.deepEqual(
        rig.cameras.map(({ name }) => name),
        ['CAM_BACK', 'CAM_FRONT'],
      );
      assert.ok(frame.images.every((image) => image?.stamp === frame.stamp));
      assert.equal(rig, outcome.frames[0]!.rig);
    }
    assert.deepEqual(faults(outcome), []);
  });

  it('waits for the pose of each frame, behind its images in the bag, where a fixed frame is asked for', async () => {
    const { frames, statistics } = await replay({ frames: 3, odomFrame: 'odom' }, 'odom');
    assert.deepEqual(
      frames.map(({ frame }) => [frame.egoPose?.frameId, frame.egoPose?.worldFromBase.translation]),
      [0, 1, 2].map((x) => ['odom', [x, 0, 0]]),
    );
    assert.equal(statistics.framesWithoutPose, 0);
  });

  it('gives frames without a pose, and says why, where the fixed frame is not in the bag', async () => {
    const outcome = await replay({ frames: 3, odomFrame: 'odom' }, 'map');
    assert.deepEqual(
      outcome.frames.map(({ frame }) => frame.egoPose),
      [undefined, undefined, undefined],
    );
    assert.deepEqual(faults(outcome), [['TRANSFORM_MISSING', undefined, 3]]);
  });

  it('turns optical frames into the base frame', async () => {
    const { frames } = await replay({ frames: 1 });
    const front = frames[0]!.rig.cameras.find(({ name }) => name === 'CAM_FRONT')!;
    const [x, y, z] = front.baseFromCamera.apply([0, 0, 10]);
    assert.ok(Math.hypot(x - 10, y, z - 1.5) < 1e-9, `${x} ${y} ${z}`);
  });

  it('gives the same each time', async () => {
    const [first, second] = [await replay({}), await replay({})];
    assert.deepEqual(first.frames, second.frames);
  });

  it('counts images that are missing and goes on', async () => {
    const outcome = await replay({
      frames: 3,
      image: (camera, frame, right) => (camera === 'CAM_BACK' && frame === 1 ? undefined : right),
    });
    assert.deepEqual(
      outcome.frames.map(({ frame }) => frame.images.map((image) => image !== undefined)),
      [
        [true, true],
        [false, true],
        [true, true],
      ],
    );
    assert.equal(outcome.statistics.synchronizer.cameras['CAM_BACK']!.missing, 1);
  });

  it('counts messages that cannot be read, with their camera', async () => {
    const outcome = await replay({
      frames: 3,
      image: (camera, frame, right) => (camera === 'CAM_BACK' && frame === 1 ? right.subarray(0, 30) : right),
    });
    assert.equal(outcome.frames.length, 3);
    assert.deepEqual(faults(outcome), [['MESSAGE_MALFORMED', 'CAM_BACK', 1]]);
  });

  it('leaves a camera out whose CameraInfo is zeros or NaN', async () => {
    for (const [k, code] of [
      [new Array<number>(9).fill(0), 'CAMERA_NOT_CALIBRATED'],
      [[NaN, 0, 1, 0, 40, 1, 0, 0, 1], 'CAMERA_INFO_INVALID'],
    ] as const) {
      const outcome = await replay({ frames: 3, info: (camera) => (camera === 'CAM_BACK' ? { k } : {}) });
      assert.deepEqual(
        outcome.frames.map(({ rig }) => rig.cameras.length),
        [1, 1, 1],
      );
      assert.deepEqual(faults(outcome), [[code, 'CAM_BACK', 3]]);
    }
  });

  it('drops every frame, and says why, where no transform is in the bag', async () => {
    const outcome = await replay({ frames: 3, transforms: false });
    assert.equal(outcome.frames.length, 0);
    assert.equal(outcome.statistics.droppedFrames, 3);
    assert.deepEqual(faults(outcome), [
      ['TRANSFORM_MISSING', 'CAM_BACK', 3],
      ['TRANSFORM_MISSING', 'CAM_FRONT', 3],
    ]);
  });
});
