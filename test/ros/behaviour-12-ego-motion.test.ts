import assert from 'node:assert/strict';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { BagReader } from '../../src/bag/bag-reader.js';
import { RigidTransform } from '../../src/geometry/rigid-transform.js';
import { MessageCodec } from '../../src/messages/message-codec.js';
import { timeFromNs } from '../../src/messages/stamp.js';
import { RingRobot, valuesOf } from './helpers/ring-robot.js';
import type { ReceivedCloud } from './robot.js';
import { Ros2Graph, requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';

const CAMERAS = [{ name: 'front', degrees: 0 }];
const S = 1_000_000_000n;
/** Messages of different topics overtake each other. */
const POSES_ARRIVE_MS = 1000;

describe('behaviour 12: ego motion', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;
  let robot: RingRobot;

  before(function () {
    ros = requireRos2(this);
  });

  const start = async (ego_motion: object): Promise<void> => {
    const graph = new Ros2Graph(ros);
    const save_frame_directory = path.join(graph.folder, 'bags');
    // poses are waited for, since messages of different topics overtake each other
    const parameters = { ego_motion, save_frame_directory, camera_timeout_ms: 60_000, max_wait_ms: 5000 };
    robot = await RingRobot.start(ros, { cameras: CAMERAS, graph, parameters, isReliable: true });
    const { source } = ego_motion as { readonly source: string };
    if (source === 'none') return;
    if (source === 'tf') await robot.driver.advertise('/tf', 'tf2_msgs/msg/TFMessage', {});
    else await robot.driver.advertise('/odom', 'nav_msgs/msg/Odometry', {});
    await robot.warmUp();
  };
  /** A robot that drives 4 m/s along x from x = 0 at 100 s, turning by 0.2 rad/s. */
  const poseAt = (seconds: number): RigidTransform =>
    RigidTransform.fromYaw(0.2 * (seconds - 100), [4 * (seconds - 100), -1, 0]);
  const ns = (seconds: number): bigint => BigInt(Math.round(seconds * 1e9));
  const odometry = async (seconds: number, child = 'base_link'): Promise<void> => {
    const { translation, rotation } = poseAt(seconds);
    const [x, y, z] = translation;
    const [qx, qy, qz, qw] = rotation;
    await robot.driver.publish('/odom', {
      header: { stamp: timeFromNs(ns(seconds)), frame_id: 'odom' },
      child_frame_id: child,
      pose: { pose: { position: { x, y, z }, orientation: { x: qx, y: qy, z: qz, w: qw } } },
    });
  };
  const transform = (seconds: number): Promise<unknown> =>
    robot.driver.publish('/tf', {
      transforms: [robot.transformMessage('odom', 'base_link', poseAt(seconds), ns(seconds))],
    });
  const assertPose = async (seconds: number): Promise<void> => {
    const { translation } = poseAt(seconds);
    // the frame before has a pose of its own
    const values = valuesOf(
      await robot.status(
        'ego motion',
        (status) => status.level === 0 && Math.abs(Number(valuesOf(status)['x m']) - translation[0]) < 0.01,
      ),
    );
    assert.equal(values['frame'], 'odom');
    assert.ok(Math.abs(Number(values['yaw rad']) - 0.2 * (seconds - 100)) < 0.01, JSON.stringify(values));
  };

  describe('from an odometry topic', () => {
    before(() => start({ source: 'odometry' }));

    after(async () => {
      await robot?.graph.dispose();
    });

    it('that is missing or of another frame is said, and frames go on without it', async () => {
      await robot.node.waitForLog(/no odometry was received yet; check ego_motion\.odom_topic/);
      await odometry(100, 'base_footprint');
      await robot.node.waitForLog(
        /expected odometry of "base_link" \(child_frame_id\), found "base_footprint"/,
      );
      await robot.publishSet(101n * S);
      await robot.next<ReceivedCloud>('~/occupied_voxels', ({ header }) => header.stamp.sec === 101);
    });

    it('is interpolated at the image’s stamp', async () => {
      for (const seconds of [110, 110.2, 110.4, 110.6]) await odometry(seconds);
      await robot.publishSet(ns(110.33));
      await assertPose(110.33);
    });

    it('goes with the frame through the pipeline: a saved frame has it', async () => {
      for (const seconds of [112, 113]) await odometry(seconds);
      await robot.publishSet(ns(112.5));
      await assertPose(112.5);
      const { message: file } = await robot.receiver.call<{ readonly message: string }>(
        'std_srvs/srv/Trigger',
        '/bdc_occ/save_frame',
      );
      const reader = await BagReader.open(file);
      const codec = new MessageCodec();
      for await (const { data } of reader.messages({ topics: ['/tf'] })) {
        const [pose] = codec.decode('tf2_msgs/msg/TFMessage', data).transforms;
        assert.deepEqual([pose!.header.frame_id, pose!.child_frame_id], ['odom', 'base_link']);
        assert.ok(Math.abs(pose!.transform.translation.x - 50) < 1e-6);
      }
      assert.ok(reader.topics.some(({ name }) => name === '/tf'));
      await reader.close();
    });
  });

  describe('with a node of its own', () => {
    afterEach(async () => {
      await robot?.graph.dispose();
    });

    it('comes from TF, interpolated at the image’s stamp', async () => {
      await start({ source: 'tf' });
      for (const seconds of [100, 100.2, 100.4, 100.6]) await transform(seconds);
      await robot.publishSet(ns(100.33));
      await assertPose(100.33);
    });

    it('is kept for a bounded time only', async () => {
      await start({ source: 'odometry', history_s: 1 });
      for (const seconds of [100, 100.5, 101, 105, 105.5]) await odometry(seconds);
      await setTimeout(POSES_ARRIVE_MS);
      const before = Number(valuesOf(await robot.status('cameras'))['frames without ego motion']);
      await robot.publishSet(ns(100.7));
      await robot.node.waitForLog(
        /at 100\.700 s: that is 4\.300 s before the oldest known pose of "base_link" in "odom"/,
      );
      assert.equal(Number(valuesOf(await robot.status('cameras'))['frames without ego motion']), before + 1);
      await robot.publishSet(ns(105.2));
      await assertPose(105.2);
    });

    it('is not asked for by default', async () => {
      await start({ source: 'none' });
      assert.equal(await robot.receiver.request({ op: 'subscriber_count', topic: '/odom' }), 0);
    });
  });
});
