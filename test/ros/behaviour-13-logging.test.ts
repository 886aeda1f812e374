import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { RingRobot, THREE_CAMERAS } from './helpers/ring-robot.js';
import { requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';

interface LogMessage {
  readonly level: number;
  readonly name: string;
  readonly msg: string;
}

const INFO = 20;
const WARN = 30;

describe('behaviour 13: logging', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;
  let robot: RingRobot;

  before(function () {
    ros = requireRos2(this);
  });

  afterEach(async () => {
    await robot?.graph.dispose();
  });

  it('starts with one block: model, instruction set, threads, cameras and topics', async () => {
    robot = await RingRobot.start(ros, { cameras: THREE_CAMERAS, namespace: '/robot' });
    const blocks = robot.node.log.split(/\[INFO\]/).filter((block) => block.includes('ready: model'));
    assert.equal(blocks.length, 1);
    const [block] = blocks;
    assert.match(
      block!,
      /ready: model \S+ \((fast|reference), \S+, 1 threads\), results in frame base_link\n/,
    );
    assert.match(block!, /\n {2}camera front \(anchor\): \/robot\/front\/image, \/robot\/front\/info\n/);
    assert.match(block!, /\n {2}camera left: \/robot\/left\/image, \/robot\/left\/info\n/);
    assert.match(
      block!,
      /\n {2}publishes \/robot\/bdc_occ\/occupied_voxels, .*\/robot\/bdc_occ\/occupancy_grid/,
    );
  });

  it('goes to /rosout as well', async () => {
    robot = await RingRobot.start(ros, { cameras: THREE_CAMERAS, isUnready: true });
    await robot.receiver.subscribe('/rosout', 'rcl_interfaces/msg/Log', {
      durability: 'transient_local',
      depth: 100,
    });
    const { level, name } = await robot.receiver.next<LogMessage>('/rosout', ({ msg }) =>
      msg.startsWith('ready: model'),
    );
    assert.deepEqual([level, name], [INFO, 'bdc_occ']);
  });

  it('says a change of state once, both ways', async () => {
    robot = await RingRobot.start(ros, {
      cameras: THREE_CAMERAS,
      parameters: { camera_timeout_ms: 700, diagnostics_period_s: 0.2 },
    });
    await robot.receiver.subscribe('/rosout', 'rcl_interfaces/msg/Log', {
      durability: 'transient_local',
      depth: 100,
    });
    await robot.stream();
    await robot.status('cameras', ({ message }) => message === 'all 3 cameras are alive');
    // what was said while the cameras started is said again after five seconds
    await setTimeout(5500);
    const counts = (): readonly number[] =>
      [/camera left: no image any more/g, /camera left: alive/g].map(
        (pattern) => robot.node.log.match(pattern)?.length ?? 0,
      );
    const [deadBefore, aliveBefore] = counts();
    robot.receiver.drain('/rosout');
    await robot.stop('left');
    const dead = await robot.receiver.next<LogMessage>('/rosout', ({ msg }) =>
      msg.startsWith('camera left: no image any more'),
    );
    assert.equal(dead.level, WARN);
    await setTimeout(1500);
    await robot.stream(['left']);
    const alive = await robot.receiver.next<LogMessage>('/rosout', ({ msg }) =>
      msg.startsWith('camera left: alive'),
    );
    assert.equal(alive.level, INFO);
    assert.deepEqual(counts(), [deadBefore! + 1, aliveBefore! + 1]);
  });

  it('repeats what every frame meets no more than once in half a minute', async () => {
    robot = await RingRobot.start(ros, {
      cameras: [{ name: 'front', degrees: 0 }],
      parameters: { diagnostics_period_s: 0.2, camera: { front: { optical_frame: 'nowhere' } } },
    });
    await robot.stream(undefined, { periodS: 0.05 });
    await robot.node.waitForLog(/no transform from "nowhere"/);
    await setTimeout(2500);
    assert.equal(robot.node.log.match(/no transform from "nowhere"/g)?.length, 1);
  });
});
