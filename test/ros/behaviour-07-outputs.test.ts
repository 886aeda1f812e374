import assert from 'node:assert/strict';
import { VoxelGrid } from '../../src/geometry/voxel-grid.js';
import type { DiagnosticArray, LaserScan } from '../../src/messages/ros-types.js';
import { OUTPUT_NAMES, OUTPUTS } from '../../src/ros/outputs/output-table.js';
import { cellAt, cellsOf, pointsOf, testManifest } from './helpers/clouds.js';
import { RingRobot, THREE_CAMERAS, valuesOf } from './helpers/ring-robot.js';
import { arrayBytes } from './peer.js';
import type { ArrayFile } from './peer.js';
import type { ReceivedCloud, ReceivedDetections, ReceivedGrid, ReceivedMarkers } from './robot.js';
import { requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';

type ReceivedScan = Omit<LaserScan, 'ranges'> & { readonly ranges: ArrayFile | readonly number[] };

interface CubeList {
  readonly header: { readonly stamp: { readonly sec: number; readonly nanosec: number } };
  readonly type: number;
  readonly points: readonly { readonly x: number; readonly y: number; readonly z: number }[];
  readonly colors: readonly unknown[];
  readonly scale: { readonly x: number };
}

const GROUPS = ['vehicles', 'vulnerable', 'ground', 'structure'];
const CUBE_LIST = 6;

describe('behaviour 7: outputs', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;
  let robot: RingRobot;

  before(async function () {
    ros = requireRos2(this);
    // the ground counts as an obstacle: a trained network may see nothing else in these pictures
    const { classes, free } = (await testManifest()).occupancy!;
    const parameters = {
      grid_min_height: -1,
      grid_obstacle_classes: classes.map(({ name }) => name).filter((_, label) => label !== free),
    };
    robot = await RingRobot.start(ros, { cameras: THREE_CAMERAS, parameters });
    await robot.stream();
    await robot.status('cameras', ({ message }) => message === 'all 3 cameras are alive');
  });

  after(async () => {
    await robot?.graph.dispose();
  });

  /** How many messages of a topic were published so far, as soon as those are more than that. */
  const published = async (topic: string, moreThan = -1): Promise<number> => {
    const count = ({ status }: DiagnosticArray): number => {
      const table = status.find(({ name }) => name.endsWith(': published'))!;
      return Number(valuesOf(table)[`/bdc_occ/${topic}`]);
    };
    return count(await robot.next<DiagnosticArray>('~/statistics', (message) => count(message) > moreThan));
  };
  const sec = ({
    header: { stamp },
  }: {
    readonly header: { readonly stamp: { readonly sec: number; readonly nanosec: number } };
  }) => stamp.sec + stamp.nanosec / 1e9;

  it('are not made while nobody listens, but for the grid', async () => {
    await robot.listen('~/statistics', 'diagnostic_msgs/msg/DiagnosticArray');
    await published('occupancy_grid');
    const grids = await published('occupancy_grid');
    for (const name of OUTPUT_NAMES.filter((output) => !OUTPUTS[output].isLatched)) {
      const topic = name === 'voxels_by_class' ? 'voxels_by_class/ground' : name;
      assert.equal(await published(topic), 0, name);
    }
    await published('occupancy_grid', grids);
  });

  it('~/statistics has times of each stage, the age of results, memory and the event loop', async () => {
    const { status } = await robot.next<DiagnosticArray>('~/statistics', (message) =>
      message.status.some(({ name }) => name.endsWith(': age ms')),
    );
    const names = status.map(({ name }) => name.replace('bdc_occ: ', ''));
    for (const name of [
      'frames',
      'preprocess ms',
      'image_encoder ms',
      'heads ms',
      'decode ms',
      'total ms',
      'age ms',
      'process',
    ]) {
      assert.ok(names.includes(name), `${name} in ${names.join(', ')}`);
    }
    const age = valuesOf(status.find(({ name }) => name.endsWith('age ms'))!);
    assert.ok(Number(age['p50']) > 0 && Number(age['p50']) < 5000);
    assert.ok(Number(age['p99']) >= Number(age['p50']));
  });

  it('~/occupied_voxels is the sum of ~/voxels_by_class', async () => {
    const { occupancy } = await testManifest();
    await robot.listen('~/occupied_voxels', 'sensor_msgs/msg/PointCloud2');
    for (const group of GROUPS)
      await robot.listen(`~/voxels_by_class/${group}`, 'sensor_msgs/msg/PointCloud2');
    const [whole, ...parts] = await robot.nextOfOneFrame<readonly [ReceivedCloud, ...ReceivedCloud[]]>(
      '~/occupied_voxels',
      ...GROUPS.map((group) => `~/voxels_by_class/${group}`),
    );
    assert.ok(whole.width > 0, 'a frame without voxels shows nothing');
    assert.equal(
      parts.reduce((sum, { width }) => sum + width, 0),
      whole.width,
    );
    const ground = pointsOf(parts[GROUPS.indexOf('ground')]!, 'label').map(
      ({ value }) => occupancy!.classes[value]!.name,
    );
    assert.ok(
      ground.every((name) => ['driveable_surface', 'other_flat', 'sidewalk', 'terrain'].includes(name)),
    );
  });

  it('~/free_space tells the distance to the nearest obstacle of ~/occupancy_grid in each direction', async () => {
    await robot.listen('~/occupancy_grid', 'nav_msgs/msg/OccupancyGrid', { durability: 'transient_local' });
    await robot.listen('~/free_space', 'sensor_msgs/msg/LaserScan');
    const [scan, grid] = await robot.nextOfOneFrame<readonly [ReceivedScan, ReceivedGrid]>(
      '~/free_space',
      '~/occupancy_grid',
    );
    const voxels = new VoxelGrid((await testManifest()).grid);
    assert.equal(scan.header.frame_id, 'base_link');
    assert.ok(Math.abs(scan.angle_min + Math.PI) < 1e-6);
    const ranges = new Float32Array(new Uint8Array(arrayBytes(scan.ranges)).buffer);
    assert.equal(ranges.length, 360);
    let hits = 0;
    ranges.forEach((range, beam) => {
      // along an axis a ray runs between two rows of cells, along a diagonal through their corners
      if (beam % 45 === 0) return;
      const angle = scan.angle_min + beam * scan.angle_increment;
      const at = (distance: number) =>
        cellAt(grid, voxels, distance * Math.cos(angle), distance * Math.sin(angle));
      if (Number.isFinite(range)) {
        hits++;
        assert.equal(at(range + 1e-4), 100, `beam ${beam}, ${range} m`);
      }
      const end = Number.isFinite(range) ? range - 1e-3 : Number.isNaN(range) ? 0 : scan.range_max - 0.1;
      for (let distance = 0; distance < end; distance += 0.1)
        assert.notEqual(at(distance), 100, `beam ${beam}, ${distance} m`);
    });
    assert.ok(hits > 0, 'a scan without any obstacle shows nothing');
  });

  it('~/camera_coverage has the bits of the cameras that look at a place', async () => {
    await robot.listen('~/camera_coverage', 'sensor_msgs/msg/PointCloud2');
    const points = pointsOf(
      await robot.next<ReceivedCloud>(
        '~/camera_coverage',
        (cloud) => pointsOf(cloud, 'cameras').reduce((all, { value }) => all | value, 0) === 0b111,
      ),
      'cameras',
    );
    THREE_CAMERAS.forEach(({ degrees, name }, i) => {
      const [x, y] = [10 * Math.cos((degrees * Math.PI) / 180), 10 * Math.sin((degrees * Math.PI) / 180)];
      const nearest = points.reduce((best, point) =>
        Math.hypot(point.x - x, point.y - y) < Math.hypot(best.x - x, best.y - y) ? point : best,
      );
      assert.equal(nearest.value, 1 << i, name);
    });
    // between two cameras of 90° that are 120° apart nobody looks
    assert.ok(!points.some(({ x, y }) => Math.abs(Math.atan2(y, x) - Math.PI / 3) < 0.1));
  });

  it('~/voxel_markers is one list of cubes, no faster than its rate', async () => {
    await robot.listen('~/voxel_markers', 'visualization_msgs/msg/MarkerArray');
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { markers } = await robot.receiver.next<{ readonly markers: readonly CubeList[] }>(
        '/bdc_occ/voxel_markers',
      );
      const [cubes] = markers;
      assert.equal(markers.length, 1);
      assert.equal(cubes!.type, CUBE_LIST);
      assert.ok(cubes!.points.length > 0 && cubes!.colors.length === cubes!.points.length);
      times.push(sec(cubes!));
    }
    assert.ok(times[2]! - times[0]! >= 1.5, times.join(' '));
  });

  it('~/detections and ~/markers hold the same boxes', async () => {
    await robot.listen('~/detections', 'vision_msgs/msg/Detection3DArray');
    await robot.listen('~/markers', 'visualization_msgs/msg/MarkerArray');
    const [boxes, { markers }] = await robot.nextOfOneFrame<readonly [ReceivedDetections, ReceivedMarkers]>(
      '~/detections',
      '~/markers',
    );
    assert.equal(markers.length, 1 + 2 * boxes.detections.length);
  });

  it('can be switched off and on, each for itself', async () => {
    for (const value of [false, true]) {
      await robot.receiver.setParameter('/bdc_occ', 'outputs.free_space.enabled', value);
      await robot.receiver.setParameter('/bdc_occ', 'outputs.occupancy_grid.enabled', value);
      // the cameras stamp with this clock; what is older may still be under way
      const since = Date.now() / 1000;
      const isOfLaterFrame = (message: ReceivedScan | ReceivedGrid | ReceivedCloud) => sec(message) >= since;
      for (let i = 0; i < 3; i++) await robot.next<ReceivedCloud>('~/occupied_voxels', isOfLaterFrame);
      if (value) {
        await robot.next<ReceivedScan>('~/free_space', isOfLaterFrame);
        await robot.next<ReceivedGrid>('~/occupancy_grid', isOfLaterFrame);
      } else {
        for (const topic of ['/bdc_occ/free_space', '/bdc_occ/occupancy_grid'])
          assert.ok(!robot.receiver.drain<ReceivedScan | ReceivedGrid>(topic).some(isOfLaterFrame), topic);
      }
    }
  });

  it('the grid says unknown where no camera looks, and nowhere else', async () => {
    robot.receiver.drain('/bdc_occ/occupancy_grid');
    const grid = await robot.next<ReceivedGrid>('~/occupancy_grid');
    const voxels = new VoxelGrid((await testManifest()).grid);
    assert.equal(cellAt(grid, voxels, 10 * Math.cos(Math.PI / 3), 10 * Math.sin(Math.PI / 3)), -1);
    assert.ok(cellAt(grid, voxels, 10, 0) >= 0);
    assert.ok(new Set(cellsOf(grid)).size >= 2);
  });
});
