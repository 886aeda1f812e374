import assert from 'node:assert/strict';
import { RigidTransform, type Vector3 } from '../../src/geometry/rigid-transform.js';
import type { RigidMotion } from '../../src/engine/types.js';
import { FrameHistory } from '../../src/perception/frame-history.js';
import { PerceptionPipeline } from '../../src/perception/perception-pipeline.js';
import type { CameraFrame, EgoPose } from '../../src/perception/types.js';
import { engineOutput } from './engine-output.js';
import { grey, HeldEngine } from './held-engine.js';
import { frontAndRear } from './rig.js';

const SECOND = 1_000_000_000;

const at = (translation: Vector3, yaw = 0, frameId = 'odom'): EgoPose => ({
  frameId,
  worldFromBase: RigidTransform.fromYaw(yaw, translation),
});

const frame = (seconds: number, egoPose?: EgoPose): CameraFrame => {
  const stamp = BigInt(Math.round(seconds * SECOND));
  return { stamp, images: [grey(stamp), undefined], ...(egoPose && { egoPose }) };
};

const closeTo = (actual: unknown, expected: readonly number[]): void => {
  assert.ok(Array.isArray(actual), `expected a motion, found ${String(actual)}`);
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs((actual[i] as number) - value) < 1e-9, `[${actual.join(', ')}]`);
  }
};

/** The robot drove so many metres along its x axis. */
const ahead = (metres: number): RigidMotion => [1, 0, 0, metres, 0, 1, 0, 0, 0, 0, 1, 0];

/** What the second frame is told, after a first one at the origin at 10 s. */
const after = (second: CameraFrame, { first = frame(10, at([0, 0, 0])), baseFrame = 'base_link' } = {}) => {
  const history = new FrameHistory();
  history.keep(first, 'base_link');
  return history.motionTo(second, baseFrame);
};

describe('FrameHistory', () => {
  it('has none before the first frame', () => {
    assert.equal(new FrameHistory().motionTo(frame(1, at([0, 0, 0])), 'base_link'), 'first');
  });

  it('tells where points of the base frame were in the previous base frame', () => {
    // It drove 3 m along its own x while looking along +y of the world, and then turned left a quarter.
    const history = new FrameHistory();
    history.keep(frame(10, at([5, 1, 0], Math.PI / 2)), 'base_link');
    const motion = history.motionTo(frame(10.5, at([5, 4, 0], Math.PI)), 'base_link');
    closeTo(motion, [0, -1, 0, 3, 1, 0, 0, 0, 0, 0, 1, 0]);
  });

  it('pitches with the robot', () => {
    const pitch = new RigidTransform([0, Math.sin(0.05), 0, Math.cos(0.05)], [1, 0, 0]);
    const motion = after(frame(10.5, { frameId: 'odom', worldFromBase: pitch }));
    const [cos, sin] = [Math.cos(0.1), Math.sin(0.1)];
    closeTo(motion, [cos, 0, sin, 1, 0, 1, 0, 0, -sin, 0, cos, 0]);
  });

  it('is reset where the clock stood still or went back', () => {
    for (const seconds of [10, 9.9, 0]) assert.equal(after(frame(seconds, at([0, 0, 0]))), 'time_jump');
  });

  it('is reset after a gap of more than 2 s', () => {
    assert.equal(after(frame(12.001, at([0, 0, 0]))), 'gap');
    closeTo(after(frame(12, at([0, 0, 0]))), ahead(0));
  });

  it('is reset where one of both frames has no pose', () => {
    assert.equal(after(frame(10.1)), 'no_pose');
    assert.equal(after(frame(10.1, at([0, 0, 0])), { first: frame(10) }), 'no_pose');
  });

  it('is reset where poses or voxels are of another frame', () => {
    assert.equal(after(frame(10.1, at([0, 0, 0], 0, 'map'))), 'frame_changed');
    assert.equal(after(frame(10.1, at([0, 0, 0])), { baseFrame: 'rear_axle' }), 'frame_changed');
  });

  it('is reset by a jump of the position or of the heading', () => {
    assert.equal(after(frame(10.1, at([8, 0, 0]))), 'teleport');
    assert.equal(after(frame(10.1, at([0, 0, 0], Math.PI / 2))), 'teleport');
    closeTo(after(frame(10.1, at([7, 0, 0]))), ahead(7));
  });

  it('is reset after a frame that failed, until the next one', () => {
    const history = new FrameHistory();
    history.keep(frame(10, at([0, 0, 0])), 'base_link');
    history.forget('failed');
    assert.equal(history.motionTo(frame(10.1, at([0, 0, 0])), 'base_link'), 'failed');
    history.keep(frame(10.1, at([0, 0, 0])), 'base_link');
    closeTo(history.motionTo(frame(10.2, at([1, 0, 0])), 'base_link'), ahead(1));
  });
});

describe('PerceptionPipeline with a network that keeps history', () => {
  let engine: HeldEngine;
  let pipeline: PerceptionPipeline;

  beforeEach(async () => {
    engine = new HeldEngine({}, { historyBytes: 8 });
    pipeline = new PerceptionPipeline({ engine });
    await pipeline.setRig(frontAndRear);
  });

  const run = async (input: CameraFrame) => {
    const done = pipeline.process(input);
    await engine.finish();
    return done;
  };

  it('gives the engine the motion, and says of each frame whether it was used', async () => {
    const results = [
      await run(frame(1, at([0, 0, 0]))),
      await run(frame(1.5, at([2, 0, 0]))),
      await run(frame(2)),
      await run(frame(2.5, at([4, 0, 0]))),
      await run(frame(3, at([5, 0, 0]))),
    ];
    assert.deepEqual(
      results.map(({ history }) => history),
      ['first', 'used', 'no_pose', 'no_pose', 'used'],
    );
    assert.deepEqual(engine.motions, [undefined, ahead(2), undefined, undefined, ahead(1)]);
    assert.deepEqual(pipeline.statistics.historyResets, { first: 1, no_pose: 2 });
  });

  it('goes on from the last frame that the engine saw where one has no image', async () => {
    await run(frame(1, at([0, 0, 0])));
    await assert.rejects(pipeline.process({ ...frame(1.5, at([2, 0, 0])), images: [undefined, undefined] }));
    assert.equal((await run(frame(2, at([3, 0, 0])))).history, 'used');
    assert.deepEqual(engine.motions.at(-1), ahead(3));
  });

  it('starts anew after a frame that was aborted in the engine', async () => {
    await run(frame(1, at([0, 0, 0])));
    const controller = new AbortController();
    const aborted = assert.rejects(
      pipeline.process(frame(1.5, at([1, 0, 0])), { signal: controller.signal }),
    );
    await engine.untilRunning();
    controller.abort();
    await aborted;
    engine.forget();
    assert.equal((await run(frame(2, at([2, 0, 0])))).history, 'failed');
    assert.equal((await run(frame(2.5, at([3, 0, 0])))).history, 'used');
  });

  it('keeps what the engine kept where only the decoding failed', async () => {
    await run(frame(1, at([0, 0, 0])));
    const failing = assert.rejects(pipeline.process(frame(1.5, at([1, 0, 0]))));
    await engine.finish(engineOutput({}));
    await failing;
    assert.equal((await run(frame(2, at([3, 0, 0])))).history, 'used');
    assert.deepEqual(engine.motions.at(-1), ahead(2));
  });

  it('starts anew with other cameras where the network compares their images', async () => {
    engine = new HeldEngine({}, { historyBytes: 8, usesCalibration: true });
    pipeline = new PerceptionPipeline({ engine });
    await pipeline.setRig(frontAndRear);
    await run(frame(1, at([0, 0, 0])));
    await pipeline.setRig(frontAndRear);
    assert.equal((await run(frame(1.5, at([1, 0, 0])))).history, 'used');
    const [front, rear] = frontAndRear.cameras;
    await pipeline.setRig({ ...frontAndRear, cameras: [{ ...front!, name: 'other' }, rear!] });
    assert.equal((await run(frame(2, at([2, 0, 0])))).history, 'cameras_changed');
    assert.equal((await run(frame(2.5, at([3, 0, 0])))).history, 'used');
  });

  it('says nothing of history where the network keeps none', async () => {
    engine = new HeldEngine();
    pipeline = new PerceptionPipeline({ engine });
    await pipeline.setRig(frontAndRear);
    assert.equal('history' in (await run(frame(1, at([0, 0, 0])))), false);
    assert.deepEqual(engine.motions, [undefined]);
    assert.deepEqual(pipeline.statistics.historyResets, {});
  });
});
