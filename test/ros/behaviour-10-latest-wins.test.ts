import assert from 'node:assert/strict';
import { nsFromTime } from '../../src/messages/stamp.js';
import { RingRobot, valuesOf } from './helpers/ring-robot.js';
import type { ReceivedCloud } from './robot.js';
import { requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';

const SIX = [0, 60, 120, 180, 240, 300].map((degrees) => ({
  name: `c${degrees}`,
  degrees,
  width: 64,
  height: 36,
}));
/** Faster than one thread computes them without any instruction set. */
const PERIOD_S = 0.02;

/** Frames that were received and have not ended in any way. */
const underWay = (values: Readonly<Record<string, string>>): number => {
  const of = (name: string): number => Number(values[`frames ${name}`]);
  return of('received') - of('processed') - of('dropped') - of('failed') - of('abandoned');
};

describe('behaviour 10: the latest frame wins', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;
  let robot: RingRobot;

  before(async function () {
    ros = requireRos2(this);
    robot = await RingRobot.start(ros, {
      cameras: SIX,
      parameters: { overrun_limit: 60, max_wait_ms: 5, max_spread_ms: 5, isa: 'portable' },
    });
    await robot.listen('~/occupied_voxels', 'sensor_msgs/msg/PointCloud2');
  });

  after(async () => {
    await robot?.graph.dispose();
  });

  it('drops and counts what it cannot keep up with: WARN first, ERROR after a run', async () => {
    await robot.stream(undefined, { periodS: PERIOD_S });
    const warned = await robot.status('processing', ({ level }) => level > 0);
    assert.equal(warned.level, 1);
    assert.match(
      warned.message,
      /frames come faster than they can be processed: \d+ dropped in .* s, \d+ since there last was a pause/,
    );
    const failed = await robot.status('processing', ({ level }) => level === 2);
    const values = valuesOf(failed);
    assert.ok(Number(values['dropped in a row']) >= 60);
    assert.ok(Number(values['frames dropped']) >= 60);
    await robot.node.waitForLog(/\[ERROR\].*processing: frames come faster/);
  });

  it('counts every frame once: received = processed + dropped + failed + abandoned + at most two under way', async () => {
    const values = valuesOf(await robot.status('processing'));
    const count = underWay(values);
    assert.ok(count >= 0 && count <= 2, JSON.stringify(values));
  });

  it('gives results of the newest frames, not of a queue: their age stays that of one or two frames', async () => {
    const values = valuesOf(
      await robot.status('processing', (status) => valuesOf(status)['age ms p50'] !== undefined),
    );
    const [age, total] = [Number(values['age ms max']), Number(values['total ms max'])];
    // the frame before is finished first, then this one; a second for the rest of a busy machine
    assert.ok(age < 2 * total + 1000, `${age} ms old, ${total} ms a frame`);
    robot.receiver.drain('/bdc_occ/occupied_voxels');
    const stamps: bigint[] = [];
    for (let i = 0; i < 3; i++) {
      stamps.push(nsFromTime((await robot.next<ReceivedCloud>('~/occupied_voxels')).header.stamp));
    }
    // frames in between were left out
    const periods = Number(stamps[2]! - stamps[0]!) / 1e9 / PERIOD_S;
    assert.ok(periods > 3, `${periods} periods for three results`);
  });

  it('has latencies of each stage and the age of results in its diagnostics', async () => {
    const values = valuesOf(
      await robot.status('processing', (status) => valuesOf(status)['age ms p50'] !== undefined),
    );
    for (const stage of [
      'preprocess',
      'image_encoder',
      'view_transformer',
      'bev_encoder',
      'heads',
      'decode',
      'total',
      'age',
    ]) {
      assert.ok(Number(values[`${stage} ms p50`]) > 0 || stage === 'decode', stage);
      assert.ok(Number(values[`${stage} ms p99`]) >= Number(values[`${stage} ms p50`]), stage);
    }
  });

  it('is OK again once the machine keeps up', async () => {
    await robot.stop(...SIX.map(({ name }) => name));
    await robot.status('processing', (status) => underWay(valuesOf(status)) === 0);
    const { level, message } = await robot.publishUntil(
      robot.status('processing', ({ values }) =>
        values.some(({ key, value }) => key === 'dropped in a row' && value === '0'),
      ),
      { first: BigInt(Date.now()) * 1_000_000n, step: 500_000_000n },
    );
    assert.equal(level, 0);
    assert.match(message, /frames a second/);
  });
});
