import assert from 'node:assert/strict';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';
import { cellAt, cellsOf, pointsOf, testManifest } from './helpers/clouds.js';
import { RingRobot, THREE_CAMERAS, valuesOf } from './helpers/ring-robot.js';
import type { ReceivedCloud, ReceivedGrid } from './robot.js';
import { requireRos2 } from './ros2-graph.js';

const GRID = 'nav_msgs/msg/OccupancyGrid';
const GRID_QOS = { durability: 'transient_local', depth: 1 };

describe('behaviour 2: a camera that dies or lags', function () {
  this.timeout(180_000);
  let robot: RingRobot;
  let voxels: VoxelGrid;

  before(async function () {
    const ros = requireRos2(this);
    voxels = new VoxelGrid((await testManifest()).grid);
    robot = await RingRobot.start(ros, {
      cameras: THREE_CAMERAS,
      parameters: { camera_timeout_ms: 700, outputs: { camera_coverage: { max_rate: 0 } } },
    });
    await robot.listen('~/occupancy_grid', GRID, GRID_QOS);
  });

  after(async () => {
    await robot?.graph.dispose();
  });

  /** Each test begins with all cameras dead. */
  beforeEach(() => robot.status('cameras', ({ message }) => /no camera is alive/.test(message)));
  afterEach(() => robot.rest());

  const allAlive = () => robot.status('cameras', ({ message }) => message === 'all 3 cameras are alive');
  /** The first grid that is wanted. */
  const grid = (accepts: (grid: ReceivedGrid) => boolean) =>
    robot.next<ReceivedGrid>('~/occupancy_grid', accepts);
  /** 10 m away, in the middle of a camera's view. */
  const seenBy = (degrees: number) => (received: ReceivedGrid) => {
    const angle = (degrees * Math.PI) / 180;
    return cellAt(received, voxels, 10 * Math.cos(angle), 10 * Math.sin(angle)) >= 0;
  };

  it('is masked and reported, what only it saw becomes unknown, and it comes back by itself', async () => {
    await robot.stream();
    await allAlive();
    await grid((received) => [0, 120, -120].every((degrees) => seenBy(degrees)(received)));

    await robot.stop('left');
    const { level, message } = await robot.status('camera left', (status) => status.level > 0);
    assert.equal(level, 1);
    assert.match(
      message,
      /no image any more on \/left\/image \(1 publishers.*masked, its voxels are unknown/,
    );
    assert.equal((await robot.status('cameras')).level, 1);
    const without = await grid(
      (received) => !seenBy(120)(received) && seenBy(0)(received) && seenBy(-120)(received),
    );
    assert.ok(cellsOf(without).includes(-1));

    await robot.stream(['left']);
    await robot.status('camera left', (status) => status.level === 0);
    await grid(seenBy(120));
  });

  it('may be the anchor: another one stands in until it is back', async () => {
    await robot.stream();
    await allAlive();
    await robot.stop('front');
    const status = await robot.status('cameras', ({ values }) =>
      values.some(({ key, value }) => key === 'anchor' && value !== 'front'),
    );
    assert.match(status.message, /masked: front/);
    const standIn = await grid((received) => !seenBy(0)(received));
    assert.ok(seenBy(120)(standIn));
    await robot.stream(['front']);
    await robot.status('cameras', (back) => valuesOf(back)['anchor'] === 'front' && back.level === 0);
    await grid(seenBy(0));
  });

  it('is left out while its images come too late, without delaying the others', async () => {
    await robot.stream(['front', 'left']);
    await robot.stream(['right'], { lateS: 0.6 });
    await robot.status('camera right', ({ level, message }) => {
      return level === 1 && /its images come too late for the frames: \d+ ms behind; masked/.test(message);
    });
    await grid((received) => seenBy(0)(received) && !seenBy(-120)(received));
    await robot.status('cameras', (status) => valuesOf(status)['live'] === 'front left right');
  });

  it('publishes nothing and says ERROR when no camera is alive', async () => {
    await robot.stream();
    await grid(seenBy(0));
    await robot.stop('front', 'left', 'right');
    const { message } = await robot.status('cameras', ({ level }) => level === 2);
    assert.equal(message, 'no camera is alive: nothing is published');
    robot.receiver.drain(robot.topic('~/occupancy_grid'));
    await robot.status('cameras', ({ level }) => level === 2);
    await robot.status('cameras', ({ level }) => level === 2);
    assert.deepEqual(robot.receiver.drain(robot.topic('~/occupancy_grid')), []);
  });

  it('is not counted among the cameras that cover a cell', async () => {
    await robot.listen('~/camera_coverage', 'sensor_msgs/msg/PointCloud2');
    await robot.stream(['front', 'left']);
    const bitsOf = (cloud: ReceivedCloud): number =>
      pointsOf(cloud, 'cameras').reduce((all, { value }) => all | value, 0);
    await robot.next<ReceivedCloud>('~/camera_coverage', (cloud) => bitsOf(cloud) === 0b011);
    await robot.stream(['right']);
    await robot.next<ReceivedCloud>('~/camera_coverage', (cloud) => bitsOf(cloud) === 0b111);
  });
});
