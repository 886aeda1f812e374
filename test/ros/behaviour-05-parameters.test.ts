import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { cameraParameters, groupParameter, NODE_PARAMETERS } from '../../src/ros/node-parameters.js';
import { cellsOf, pointsOf, testManifest } from './helpers/clouds.js';
import { RingRobot, THREE_CAMERAS } from './helpers/ring-robot.js';
import { modelFile } from './frame-file.js';
import type { ReceivedCloud, ReceivedDetections, ReceivedGrid } from './robot.js';
import { Ros2Graph, requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';

const CLOUD = 'sensor_msgs/msg/PointCloud2';
const NODE = '/bdc_occ';
const shipped = fileURLToPath(new URL('../../config/bdc_occ.yaml', import.meta.url));

interface Descriptor {
  readonly name: string;
  readonly description: string;
  readonly read_only: boolean;
  readonly integer_range: readonly { readonly from_value: number; readonly to_value: number }[];
  readonly floating_point_range: readonly { readonly from_value: number; readonly to_value: number }[];
}

describe('behaviour 5: parameters', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;

  before(function () {
    ros = requireRos2(this);
  });

  describe('of a running node', () => {
    let robot: RingRobot;

    before(async () => {
      robot = await RingRobot.start(ros, { cameras: THREE_CAMERAS });
      await robot.receiver.subscribe('/bdc_occ/occupied_voxels', CLOUD);
      await robot.receiver.subscribe('/bdc_occ/occupancy_grid', 'nav_msgs/msg/OccupancyGrid');
      await robot.receiver.subscribe('/bdc_occ/detections', 'vision_msgs/msg/Detection3DArray');
      await robot.receiver.waitMatched();
      await robot.stream();
      await robot.status('cameras', ({ message }) => message === 'all 3 cameras are alive');
    });

    after(async () => {
      await robot?.graph.dispose();
    });

    const set = (name: string, value: unknown) => robot.receiver.setParameter(NODE, name, value);
    const take = async (name: string, value: unknown): Promise<void> => {
      assert.deepEqual(await set(name, value), { successful: true, reason: '' }, name);
    };
    const nextCloud = (accepts?: (cloud: ReceivedCloud) => boolean) =>
      robot.next<ReceivedCloud>('~/occupied_voxels', accepts);
    const nextGrid = (accepts?: (grid: ReceivedGrid) => boolean) =>
      robot.next<ReceivedGrid>('~/occupancy_grid', accepts);

    it('are declared with description, range and read-only flag, every one of them', async () => {
      const declared = [
        ...NODE_PARAMETERS,
        ...THREE_CAMERAS.flatMap(({ name }) => cameraParameters(name)),
        ...['vehicles', 'vulnerable', 'ground', 'structure'].map((group) => groupParameter(group)),
      ];
      const { descriptors } = await robot.receiver.call<{ readonly descriptors: readonly Descriptor[] }>(
        'rcl_interfaces/srv/DescribeParameters',
        `${NODE}/describe_parameters`,
        { names: declared.map(({ name }) => name) },
      );
      assert.equal(descriptors.length, declared.length);
      declared.forEach((declaration, i) => {
        const { name, description, read_only, integer_range, floating_point_range } = descriptors[i]!;
        assert.equal(name, declaration.name);
        assert.ok(description.length > 10, name);
        assert.equal(read_only, declaration.readOnly, name);
        if (!('range' in declaration)) return;
        const [range] = declaration.type === 'integer' ? integer_range : floating_point_range;
        assert.deepEqual([range!.from_value, range!.to_value], declaration.range, name);
      });
    });

    it('change the voxels’ threshold: what is too uncertain is unknown, not free', async () => {
      robot.receiver.drain('/bdc_occ/occupancy_grid');
      const occupiedIn = (grid: ReceivedGrid): number => cellsOf(grid).filter((cell) => cell === 100).length;
      const beforeGrid = await nextGrid();
      const before = cellsOf(beforeGrid);
      const { width } = await nextCloud();
      await take('voxel_confidence', 1);
      // a few voxels may be as certain as a float32 can say
      const isCertain = (cloud: ReceivedCloud): boolean =>
        pointsOf(cloud, 'confidence').every(({ value }) => value >= 1);
      assert.ok((await nextCloud(isCertain)).width < width / 10);
      const after = cellsOf(await nextGrid((grid) => occupiedIn(grid) < occupiedIn(beforeGrid)));
      before.forEach((cell, i) => {
        if (after[i] === 100) assert.equal(cell, 100);
        if (cell === -1) assert.equal(after[i], -1, 'what was unknown stays so');
      });
      await take('voxel_confidence', 0);
      await nextCloud(({ width }) => width > 0);
    });

    it('change the boxes’ threshold', async () => {
      await take('detection_score', 1);
      await robot.next<ReceivedDetections>('~/detections', ({ detections }) => detections.length === 0);
      await take('detection_score', 0);
    });

    it('change the height band', async () => {
      // the network’s grid ends at 5.4 m: nothing is seen above
      await take('grid_max_height', 60);
      await take('grid_min_height', 50);
      await nextGrid((grid) => cellsOf(grid).every((cell) => cell === -1));
      await take('grid_min_height', 0.2);
      await take('grid_max_height', 2);
      await nextGrid((grid) => cellsOf(grid).some((cell) => cell >= 0));
    });

    it('change the classes that are published and those that are obstacles', async () => {
      const { occupancy } = await testManifest();
      const labels = new Set(
        pointsOf(await nextCloud(({ width }) => width > 0), 'label').map(({ value }) => value),
      );
      const label = [...labels][0]!;
      const { name } = occupancy!.classes[label]!;
      await take('voxel_classes', [name]);
      await nextCloud(
        (cloud) => cloud.width > 0 && pointsOf(cloud, 'label').every(({ value }) => value === label),
      );
      await take('voxel_classes', ['all']);
      const others = occupancy!.classes.filter((_, i) => !labels.has(i) && i !== occupancy!.free);
      await take('grid_obstacle_classes', [others[0]!.name]);
      await nextGrid((grid) => !cellsOf(grid).includes(100));
      await take('grid_obstacle_classes', ['non_traversable']);
    });

    it('change rates', async () => {
      await take('outputs.occupied_voxels.max_rate', 1);
      const stamps: number[] = [];
      robot.receiver.drain('/bdc_occ/occupied_voxels');
      // one may be under way
      for (let i = 0; i < 2; i++) await nextCloud();
      for (let i = 0; i < 3; i++) {
        const { stamp } = (await nextCloud()).header;
        stamps.push(stamp.sec + stamp.nanosec / 1e9);
      }
      // cameras publish five times a second
      assert.ok(stamps[2]! - stamps[0]! > 1.5, stamps.join(' '));
      await take('outputs.occupied_voxels.max_rate', 0);
    });

    for (const [name, value, reason] of [
      [
        'grid_max_height',
        1000.5,
        /^parameter grid_max_height: expected a number from -100 to 100, found 1000.5$/,
      ],
      ['grid_max_height', 'tall', /^parameter grid_max_height: expected a number, found "tall"$/],
      ['grid_min_height', 50.5, /expected less than grid_max_height \(2\), found 50\.5/],
      [
        'voxel_classes',
        ['truk'],
        /expected "all" or classes of the model \(.*\), found "truk"; did you mean "truck"\?/,
      ],
      ['outputs.markers.enabled', 1, /expected true or false, found 1/],
      ['free_space_beams', 1, /expected a whole number from 4 to 7200, found 1/],
      ['isa', 'sse', /expected one of "", "portable".*found "sse"/],
      ['thread_nice', 5, /^parameter thread_nice is read-only: set it at start$/],
      ['max_spread_ms', 2.5, /^parameter max_spread_ms is read-only: set it at start$/],
      [
        'grid_max_heigt',
        1.5,
        /^parameter grid_max_heigt is not one of this node; did you mean "grid_max_height"\?$/,
      ],
    ] as const) {
      it(`refuse ${name} = ${JSON.stringify(value)}, and say why`, async () => {
        const answer = await set(name, value);
        assert.equal(answer.successful, false);
        assert.match(answer.reason, reason);
      });
    }

    it('are still what they were, and frames go on', async () => {
      robot.receiver.drain('/bdc_occ/occupied_voxels');
      await nextCloud(({ width }) => width > 0);
      assert.equal((await robot.status('cameras')).level, 0);
    });
  });

  describe('of a file', () => {
    let graph: Ros2Graph;

    beforeEach(() => {
      graph = new Ros2Graph(ros);
    });

    afterEach(() => graph.dispose());

    const start = (parameters: object, key = '/**') => {
      const file = path.join(graph.folder, 'parameters.yaml');
      writeFileSync(file, stringify({ [key]: { ros__parameters: parameters } }));
      return graph.startNode(['--ros-args', '--params-file', file]);
    };

    it('are taken as config/bdc_occ.yaml has them', async () => {
      const node = graph.startNode(['--ros-args', '--params-file', shipped]);
      await node.waitForLog(/ready: model .*base_link/);
    });

    for (const [what, parameters, message] of [
      [
        'a misspelt name',
        { treads: 1 },
        /parameter treads is not one of this node; did you mean "threads"\?/,
      ],
      [
        'a misspelt name of a camera’s',
        { cameras: ['front'], camera: { front: { image_topik: 'x' } } },
        /parameter camera\.front\.image_topik is not one of this node; did you mean "camera\.front\.image_topic"\?/,
      ],
      [
        'a camera that is not in the list',
        { cameras: ['front'], camera: { frnt: { image_topic: 'x' } } },
        /parameter camera\.frnt\.image_topic is not one of this node; did you mean "camera\.front\.image_topic"\?/,
      ],
      [
        'a name that is like none',
        { xyzzy_plugh: 1 },
        /parameter xyzzy_plugh is not one of this node; config\/bdc_occ\.yaml has/,
      ],
      ['a wrong type', { threads: 'many' }, /parameter threads: expected a whole number, found "many"/],
      ['a number for a text', { base_frame: 7 }, /parameter base_frame: expected a text, found 7/],
      [
        'a list for a number',
        { max_wait_ms: [1, 2] },
        /parameter max_wait_ms: expected a number, found \[1,2\]/,
      ],
      [
        'a value out of range',
        { max_spread_ms: -1.0 },
        /parameter max_spread_ms: expected a number from 0 to 10000, found -1/,
      ],
      [
        'cores that are none',
        { thread_affinity: '3-1' },
        /parameter thread_affinity: expected different cores from 0 to 1023 such as 0,2-3, found "3-1"/,
      ],
      ['an unknown class', { voxel_classes: ['buss'] }, /found "buss"; did you mean "bus"\?/],
      [
        'an anchor that is no camera',
        { anchor_camera: 'top' },
        /parameter anchor_camera: expected one of front, .*, found "top"/,
      ],
      [
        'images on a topic with a dash',
        { cameras: ['front'], camera: { front: { image_topic: 'front-cam/image' } } },
        /parameter camera\.front\.image_topic: expected a topic name of letters, digits, _ and \/ .*, found "front-cam\/image"/,
      ],
      [
        'CameraInfo on a topic that ends with a slash',
        { cameras: ['front'], camera: { front: { info_topic: '/front/' } } },
        /parameter camera\.front\.info_topic: expected a topic name .*, found "\/front\/"/,
      ],
      [
        'odometry on a topic with a part that begins with a digit',
        { ego_motion: { source: 'odometry', odom_topic: 'base/2d' } },
        /parameter ego_motion\.odom_topic: expected a topic name .*, found "base\/2d"/,
      ],
    ] as const) {
      it(`refuse to start with ${what}, and say what is right`, async () => {
        const node = start({ model: modelFile(), ...parameters });
        assert.deepEqual(await node.exit(), { code: 2, signal: null }, node.log);
        assert.match(node.log, message);
      });
    }

    it('may name topics in every way that rcl allows, and none that are not subscribed', async () => {
      const node = start({
        model: modelFile(),
        cameras: ['front', 'left'],
        ego_motion: { odom_topic: 'not-subscribed' },
        camera: {
          front: { image_topic: '~/front/image', info_topic: 'front/info' },
          left: { image_topic: '/left/image', info_topic: '{node}/info' },
        },
      });
      await node.waitForLog(/ready: model/);
      assert.match(node.log, /\/bdc_occ\/front\/image, \/front\/info/);
      assert.match(node.log, /\/left\/image, \/bdc_occ\/info/);
    });

    it('are taken under the node’s full name, also use_sim_time', async () => {
      const node = start({ model: modelFile(), threads: 1, use_sim_time: true }, '/bdc_occ');
      await node.waitForLog(/ready: model .* 1 threads/);
      const peer = graph.startPeer();
      const value = await peer.request({ op: 'get_parameter', node: NODE, name: 'use_sim_time' });
      assert.equal((value as Record<string, unknown>)['bool_value'], true);
    });

    it('are warned of where no key is for this node', async () => {
      const node = start({ threads: 1 }, '/other/bdc_occ');
      await node.waitForLog(
        /the parameters given for \/other\/bdc_occ are not for this node, \/bdc_occ; use that as key, or \/\*\*/,
      );
    });
  });
});
