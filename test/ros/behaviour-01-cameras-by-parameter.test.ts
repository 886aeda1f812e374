import assert from 'node:assert/strict';
import { nsFromTime } from '../../src/messages/stamp.js';
import { meanOf } from './helpers/clouds.js';
import { RingRobot } from './helpers/ring-robot.js';
import type { RingCamera, RingRobotOptions } from './helpers/ring-robot.js';
import type { ReceivedCloud } from './robot.js';
import { requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';
import { repeatUntil } from './waiting.js';

const CLOUD = 'sensor_msgs/msg/PointCloud2';

interface ParameterEvent {
  readonly node: string;
  readonly changed_parameters: readonly { readonly name: string }[];
}

describe('behaviour 1: cameras by parameter', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;
  const robots: RingRobot[] = [];

  before(function () {
    ros = requireRos2(this);
  });

  afterEach(async () => {
    for (const { graph } of robots.splice(0)) await graph.dispose();
  });

  const start = async (options: RingRobotOptions): Promise<RingRobot> => {
    const robot = await RingRobot.start(ros, options);
    robots.push(robot);
    return robot;
  };

  const cases: readonly (readonly [string, readonly RingCamera[]])[] = [
    ['one camera', [{ name: 'only', degrees: 30 }]],
    [
      'two of different size, field of view and transport',
      [
        { name: 'wide', degrees: 0, width: 640, height: 360, transport: 'raw' },
        { name: 'rear', degrees: 180, width: 200, height: 200 },
      ],
    ],
    [
      'as many as the model takes',
      [0, 60, 120, 180, 240, 300].map((degrees) => ({ name: `c${degrees}`, degrees })),
    ],
  ];
  for (const [what, cameras] of cases) {
    it(`works with ${what}`, async () => {
      const robot = await start({ cameras });
      await robot.listen('~/occupied_voxels', CLOUD);
      await robot.stream();
      const status = await robot.status(
        'cameras',
        ({ level, message }) => level === 0 && /all/.test(message),
      );
      assert.match(status.message, new RegExp(`all ${cameras.length} cameras are alive`));
      assert.equal((await robot.next<ReceivedCloud>('~/occupied_voxels')).header.frame_id, 'base_link');
    });
  }

  it('refuses more cameras than the model takes, and says how many that is', async () => {
    const cameras = Array.from({ length: 7 }, (_, i) => ({ name: `c${i}`, degrees: i * 50 }));
    const robot = await start({ cameras, isUnready: true });
    assert.deepEqual(await robot.node.exit(), { code: 2, signal: null });
    assert.match(
      robot.node.log,
      /takes at most 6 cameras, found 7 in parameter cameras; name fewer \[TOO_MANY_CAMERAS\]/,
    );
  });

  it('takes another optical frame than the messages name', async () => {
    const robot = await start({
      cameras: [{ name: 'front', degrees: 0 }],
      parameters: { camera: { front: { optical_frame: 'my_camera' } } },
    });
    await robot.driver.publish('/tf_static', {
      transforms: [robot.transformMessage('base_link', 'my_camera', RingRobot.mount({ degrees: 90 }))],
    });
    await robot.listen('~/camera_coverage', CLOUD);
    await robot.stream();
    const coverage = await robot.next<ReceivedCloud>('~/camera_coverage');
    assert.ok(coverage.width > 0);
    // to the left, where my_camera looks, and not ahead, where front_optical does
    const [x, y] = meanOf(coverage);
    assert.ok(y > 5 && Math.abs(x) < 2, `${x}, ${y}`);
  });

  it('runs twice in one graph, each node in its namespace with its own cameras', async () => {
    const one = await start({ cameras: [{ name: 'front', degrees: 0 }], namespace: '/one' });
    const two = await start({
      cameras: [{ name: 'front', degrees: 0 }],
      namespace: '/two',
      graph: one.graph,
    });
    for (const robot of [one, two]) await robot.listen('~/occupied_voxels', CLOUD);
    await one.stream();
    const stamps = nsFromTime((await one.next<ReceivedCloud>('~/occupied_voxels')).header.stamp);
    assert.ok(stamps > 0n);
    const [first, second] = [await one.status('cameras'), await two.status('camera front')];
    assert.match(first.name, /^one\/bdc_occ: cameras$/);
    assert.match(second.name, /^two\/bdc_occ: camera front$/);
    assert.match(second.message, /waiting|no image yet/);
    assert.deepEqual(two.receiver.drain(two.topic('~/occupied_voxels')), []);
    await two.stream();
    await two.next<ReceivedCloud>('~/occupied_voxels');
    // the topic of all nodes, whatever their namespace
    await one.receiver.subscribe('/parameter_events', 'rcl_interfaces/msg/ParameterEvent');
    let confidence = 0;
    // an event is told once, and whether the node knows of the listener yet cannot be seen
    const { changed_parameters } = await repeatUntil(
      one.receiver.next<ParameterEvent>('/parameter_events', ({ node }) => node === two.nodeName),
      () => two.receiver.setParameter(two.nodeName, 'voxel_confidence', (confidence += 0.01)),
    );
    assert.deepEqual(
      changed_parameters.map(({ name }) => name),
      ['voxel_confidence'],
    );
  });
});
