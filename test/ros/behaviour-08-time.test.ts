import assert from 'node:assert/strict';
import type { DiagnosticArray } from '../../src/messages/ros-types.js';
import { nsFromTime, timeFromNs } from '../../src/messages/stamp.js';
import { DIAGNOSTICS, RingRobot, valuesOf } from './helpers/ring-robot.js';
import type { ReceivedCloud } from './robot.js';
import { requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';
import { repeatUntil } from './waiting.js';

const CAMERAS = [
  { name: 'front', degrees: 0 },
  { name: 'rear', degrees: 180 },
];
const S = 1_000_000_000n;
const JUMPED = /time went backwards: images, moving transforms, poses and the frame in work were forgotten/g;

describe('behaviour 8: time', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;
  let robot: RingRobot;

  before(function () {
    ros = requireRos2(this);
  });

  afterEach(async () => {
    await robot?.graph.dispose();
  });

  const start = async (parameters: Record<string, unknown> = {}): Promise<void> => {
    robot = await RingRobot.start(ros, {
      cameras: CAMERAS,
      isReliable: true,
      parameters: { max_wait_ms: 5000, camera_timeout_ms: 60_000, ...parameters },
    });
    await robot.warmUp();
  };
  /** Publishes a time that goes on slowly, until what that is to bring about has come. */
  const clockUntil = <T>(come: Promise<T>, ns: bigint): Promise<T> => {
    let time = ns;
    const tick = () => robot.driver.publish('/clock', { clock: timeFromNs((time += 1_000_000n)) });
    return repeatUntil(come, tick, 100);
  };
  /** Until the node goes by that time. */
  const tellTime = (ns: bigint): Promise<DiagnosticArray> =>
    clockUntil(
      robot.receiver.next<DiagnosticArray>(DIAGNOSTICS, ({ header }) => header.stamp.sec === Number(ns / S)),
      ns,
    );
  const cloudAt = (stamp: bigint) =>
    robot.next<ReceivedCloud>('~/occupied_voxels', ({ header }) => nsFromTime(header.stamp) === stamp);

  it('of results is that of the anchor’s image, whatever the others have', async () => {
    await start({ anchor_camera: 'rear' });
    await robot.publishSet(200n * S, ['front']);
    await robot.publishSet(200n * S + 20_000_000n, ['rear']);
    const { header } = await robot.next<ReceivedCloud>(
      '~/occupied_voxels',
      ({ header: { stamp } }) => stamp.sec >= 200,
    );
    assert.equal(nsFromTime(header.stamp), 200n * S + 20_000_000n);
  });

  it('is that of a best-effort /clock with use_sim_time, as rosbag2 publishes it', async () => {
    await start({ use_sim_time: true });
    await robot.driver.advertise('/clock', 'rosgraph_msgs/msg/Clock', { reliability: 'best_effort' });
    await tellTime(500n * S);
    await robot.publishSet(500n * S);
    const { stamp } = (await cloudAt(500n * S)).header;
    assert.equal(stamp.sec, 500);
    const processing = valuesOf(
      await robot.status('lifecycle', ({ values }) =>
        values.some(({ key, value }) => key === 'simulated time' && value === 'true'),
      ),
    );
    assert.equal(processing['simulated time'], 'true');
  });

  it('may be switched to /clock while the node runs', async () => {
    await start();
    await robot.driver.advertise('/clock', 'rosgraph_msgs/msg/Clock', { reliability: 'best_effort' });
    assert.deepEqual(await robot.receiver.setParameter('/bdc_occ', 'use_sim_time', true), {
      successful: true,
      reason: '',
    });
    await tellTime(300n * S);
  });

  it('that jumps back clears buffers, says so once, and goes on', async () => {
    await start({ use_sim_time: true });
    await robot.driver.advertise('/clock', 'rosgraph_msgs/msg/Clock', { reliability: 'best_effort' });
    await tellTime(900n * S);
    await robot.publishSet(900n * S);
    await cloudAt(900n * S);
    // an image of the time before waits for its partner, which must not get it
    await robot.publishSet(901n * S, ['front']);
    await clockUntil(robot.node.waitForLog(new RegExp(JUMPED.source)), 100n * S);
    // nor one that comes only now
    await robot.publishSet(901n * S + S / 2n, ['front']);
    await robot.publishSet(100n * S);
    await cloudAt(100n * S);
    await robot.publishSet(101n * S);
    await cloudAt(101n * S);
    assert.equal(robot.node.log.match(JUMPED)?.length, 1);
    assert.doesNotMatch(robot.node.log, /frames? failed/, 'what was forgotten is no fault');
  });

  it('that jumps back is seen by the images where there is no /clock', async () => {
    await start();
    await robot.publishSet(900n * S);
    await cloudAt(900n * S);
    await robot.publishSet(100n * S);
    await cloudAt(100n * S);
    assert.equal(robot.node.log.match(JUMPED)?.length, 1);
    assert.equal(valuesOf(await robot.status('cameras'))['time jumps'], '1');
  });

  it('is not taken for one that jumps back where a single image has a bad stamp', async () => {
    await start();
    await robot.publishSet(900n * S);
    await cloudAt(900n * S);
    await robot.publishSet(0n, ['front']);
    await robot.publishSet(901n * S);
    await cloudAt(901n * S);
    await robot.node.waitForLog(
      /camera front: expected a stamp near 900\.000 s, found 0\.000 s .*\[CAMERA_STAMP_BACK, 1 times so far\]/,
    );
    assert.equal(valuesOf(await robot.status('cameras'))['time jumps'], '0');
    assert.doesNotMatch(robot.node.log, JUMPED);
  });

  it('that jumps back forgets the transforms that were ahead', async () => {
    await start({ camera: { front: { optical_frame: 'moving' } } });
    await robot.driver.advertise('/tf', 'tf2_msgs/msg/TFMessage', {});
    await robot.driver.waitMatched();
    const at = (stamp: bigint): object =>
      robot.transformMessage('base_link', 'moving', RingRobot.mount({ degrees: 0 }), stamp);
    await robot.driver.publish('/tf', { transforms: [at(899n * S), at(901n * S)] });
    await robot.publishSet(900n * S);
    await cloudAt(900n * S);
    for (const stamp of [100n * S, 100n * S + S / 10n]) await robot.publishSet(stamp, ['rear']);
    await robot.node.waitForLog(new RegExp(JUMPED.source));
    // with those of 899 s still there, these would be dropped as too old
    await robot.driver.publish('/tf', { transforms: [at(100n * S), at(102n * S)] });
    await robot.publishSet(101n * S);
    await cloudAt(101n * S);
    assert.match((await robot.status('cameras')).message, /all 2 cameras/);
  });
});
