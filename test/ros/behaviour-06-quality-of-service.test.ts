import assert from 'node:assert/strict';
import { RingRobot, valuesOf } from './helpers/ring-robot.js';
import type { ReceivedCloud } from './robot.js';
import { requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';
import { eventually } from './waiting.js';

const CLOUD = 'sensor_msgs/msg/PointCloud2';
const FRONT = [{ name: 'front', degrees: 0 }];

interface EndpointQos {
  readonly type: string;
  readonly reliability: string;
  readonly durability: string;
}

describe('behaviour 6: quality of service', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;
  let robot: RingRobot;

  before(function () {
    ros = requireRos2(this);
  });

  afterEach(async () => {
    await robot?.graph.dispose();
  });

  /** As soon as the other process has heard of them. */
  const ends = (op: 'publisher_qos' | 'subscription_qos', topic: string): Promise<readonly EndpointQos[]> =>
    eventually(
      () => robot.receiver.request({ op, topic }) as Promise<readonly EndpointQos[]>,
      (found) => found.length > 0,
    );

  it('is by default: sensor data in, the grid latched, the rest reliable', async () => {
    robot = await RingRobot.start(ros, { cameras: FRONT });
    for (const name of ['occupied_voxels', 'detections', 'markers', 'free_space', 'statistics']) {
      const [end] = await ends('publisher_qos', `/bdc_occ/${name}`);
      assert.deepEqual([end!.reliability, end!.durability], ['reliable', 'volatile'], name);
    }
    const [grid] = await ends('publisher_qos', '/bdc_occ/occupancy_grid');
    assert.deepEqual([grid!.reliability, grid!.durability], ['reliable', 'transient_local']);
    const [image] = await ends('subscription_qos', robot.imageTopic('front'));
    assert.deepEqual([image!.reliability, image!.durability], ['best_effort', 'volatile']);
    const [tf] = await ends('subscription_qos', '/tf_static');
    assert.deepEqual([tf!.reliability, tf!.durability], ['reliable', 'transient_local']);
  });

  it('is what the parameters say', async () => {
    const qos = {
      images: { reliability: 'reliable' },
      occupied_voxels: { reliability: 'best_effort' },
      occupancy_grid: { durability: 'volatile' },
      detections: { durability: 'transient_local', depth: 3 },
    };
    robot = await RingRobot.start(ros, { cameras: FRONT, parameters: { qos } });
    assert.equal((await ends('subscription_qos', robot.imageTopic('front')))[0]!.reliability, 'reliable');
    assert.equal((await ends('publisher_qos', '/bdc_occ/occupied_voxels'))[0]!.reliability, 'best_effort');
    assert.equal((await ends('publisher_qos', '/bdc_occ/occupancy_grid'))[0]!.durability, 'volatile');
    assert.equal((await ends('publisher_qos', '/bdc_occ/detections'))[0]!.durability, 'transient_local');
  });

  it('that does not match at an input is reported: whose, on which topic, and why', async () => {
    // the cameras publish with best effort
    robot = await RingRobot.start(ros, {
      cameras: FRONT,
      parameters: { qos: { images: { reliability: 'reliable' } } },
    });
    const status = await robot.status('topics', ({ level }) => level === 1);
    assert.match(
      status.message,
      /1 ends do not match: \/front\/image \/peer: the publisher is best effort, the subscription wants reliable/,
    );
    await robot.node.waitForLog(/topics: 1 ends do not match: \/front\/image/);
    const { publishers } = valuesOf(await robot.status('camera front'));
    assert.equal(publishers, '0');
  });

  it('that does not match at an output is reported, and is no more once that end is gone', async () => {
    robot = await RingRobot.start(ros, { cameras: FRONT });
    await robot.status('topics', ({ level }) => level === 0);
    const other = robot.graph.startPeer();
    await other.subscribe('/bdc_occ/occupied_voxels', CLOUD, { durability: 'transient_local' });
    const status = await robot.status('topics', ({ level }) => level === 1);
    assert.match(
      status.message,
      /\/bdc_occ\/occupied_voxels \/peer: the publisher is volatile, the subscription wants transient local/,
    );
    await other.end();
    await robot.status('topics', ({ level }) => level === 0);
  });

  it('aside, a topic with another type is reported, too', async () => {
    robot = await RingRobot.start(ros, { cameras: FRONT });
    const other = robot.graph.startPeer();
    await other.advertise(robot.imageTopic('front'), 'sensor_msgs/msg/Image');
    const status = await robot.status('topics', ({ level }) => level === 1);
    assert.match(
      status.message,
      /\/front\/image \/peer: it publishes sensor_msgs\/msg\/Image, expected sensor_msgs\/msg\/CompressedImage/,
    );
  });

  it('of best effort at an input takes from reliable publishers as well', async () => {
    robot = await RingRobot.start(ros, { cameras: [{ name: 'front', degrees: 0 }] });
    const reliable = robot.graph.startPeer();
    await reliable.advertise(robot.imageTopic('front'), 'sensor_msgs/msg/CompressedImage');
    await reliable.advertise(robot.infoTopic('front'), 'sensor_msgs/msg/CameraInfo');
    await reliable.waitMatched();
    await robot.listen('~/occupied_voxels', CLOUD);
    const messages = [
      { topic: robot.infoTopic('front'), message: robot.infoMessage(robot.camera('front')) },
      { topic: robot.imageTopic('front'), message: robot.imageMessage('front') },
    ];
    await reliable.request({ op: 'start_stream', name: 'front', period_s: 0.2, messages });
    await robot.next<ReceivedCloud>('~/occupied_voxels');
  });
});
