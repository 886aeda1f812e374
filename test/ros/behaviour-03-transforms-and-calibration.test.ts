import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { nsFromTime } from '../../src/messages/stamp.js';
import { meanOf } from './helpers/clouds.js';
import { LATCHED_QOS, RingRobot, valuesOf } from './helpers/ring-robot.js';
import type { RingCamera } from './helpers/ring-robot.js';
import type { ReceivedCloud } from './robot.js';
import { Ros2Graph, requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';
import { eventually } from './waiting.js';

const FRONT: readonly RingCamera[] = [{ name: 'front', degrees: 0 }];
const CLOUD = 'sensor_msgs/msg/PointCloud2';
const S = 1_000_000_000n;

const CALIBRATION = `image_width: 320
image_height: 180
camera_name: front
camera_matrix:
  rows: 3
  cols: 3
  data: [160., 0., 160., 0., 160., 90., 0., 0., 1.]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [0.01, 0., 0., 0., 0.]
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [160, 0, 160, 0, 0, 160, 90, 0, 0, 0, 1, 0]}
`;

describe('behaviour 3: transforms and calibration', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;
  let robot: RingRobot;

  before(function () {
    ros = requireRos2(this);
  });

  const start = async (parameters: Record<string, unknown> = {}, cameras = FRONT): Promise<void> => {
    robot = await RingRobot.start(ros, {
      cameras,
      parameters: { 'outputs.camera_coverage.max_rate': 0, ...parameters },
    });
    await robot.listen('~/camera_coverage', CLOUD);
  };
  const end = (): Promise<void> => robot?.graph.dispose();

  /** Direction of the middle of what the camera sees, in degrees to the left. */
  const bearing = (cloud: ReceivedCloud): number => {
    const [x, y] = meanOf(cloud);
    return (Math.atan2(y, x) * 180) / Math.PI;
  };
  const nextBearing = async (): Promise<number> =>
    bearing(await robot.next<ReceivedCloud>('~/camera_coverage', ({ width }) => width > 0));
  const isNear = (a: number, b: number): boolean => Math.abs(a - b) < 8;

  describe('with a node of its own', () => {
    afterEach(end);

    it('a transform that was published before the node joined is known to it', async () => {
      // the mounts are published while the node's process has not even begun
      const graph = new Ros2Graph(ros);
      const early = graph.startPeer();
      await early.advertise('/tf_static', 'tf2_msgs/msg/TFMessage', LATCHED_QOS);
      robot = await RingRobot.start(ros, {
        cameras: FRONT,
        graph,
        parameters: { camera: { front: { optical_frame: 'early' } } },
      });
      await early.publish('/tf_static', {
        transforms: [robot.transformMessage('base_link', 'early', RingRobot.mount({ degrees: 45 }))],
      });
      await robot.listen('~/camera_coverage', CLOUD);
      await robot.stream();
      assert.ok(isNear(await nextBearing(), 45));
    });

    it('a frame that nobody publishes is named, and the other one', async () => {
      await start({ camera: { front: { optical_frame: 'nowhere' } } });
      await robot.stream();
      const { message } = await robot.status(
        'camera front',
        // before its first image it is warned of for another reason
        (status) => status.level === 1 && !status.message.startsWith('no image yet'),
      );
      assert.match(
        message,
        /no transform from "nowhere" to "base_link": nothing was received about "nowhere"/,
      );
    });

    it('intrinsics come from a calibration file of camera_info_manager, and CameraInfo is not needed', async () => {
      const graph = new Ros2Graph(ros);
      const file = path.join(graph.folder, 'front.yaml');
      writeFileSync(file, CALIBRATION);
      robot = await RingRobot.start(ros, {
        cameras: FRONT,
        graph,
        parameters: { camera: { front: { calibration_file: file } } },
      });
      assert.match(robot.node.log, /camera front \(anchor\): \/front\/image, .*front\.yaml/);
      const subscribers = (topic: string): Promise<number> =>
        robot.receiver.request({ op: 'subscriber_count', topic }) as Promise<number>;
      // a node's ends become known in the order in which they were made, and that of CameraInfo would come first
      await eventually(
        () => subscribers(robot.imageTopic('front')),
        (count) => count === 1,
      );
      assert.equal(await subscribers(robot.infoTopic('front')), 0);
      await robot.listen('~/camera_coverage', CLOUD);
      await robot.stream();
      assert.ok(isNear(await nextBearing(), 0));
      assert.equal(valuesOf(await robot.status('camera front'))['state'], 'live');
    });
  });

  describe('a camera that turns on the robot', () => {
    const turned = (degrees: number, stamp: bigint): object =>
      robot.transformMessage('base_link', 'turning', RingRobot.mount({ degrees }), stamp);

    before(async () => {
      await start({ camera: { front: { optical_frame: 'turning' } } });
      await robot.driver.advertise('/tf', 'tf2_msgs/msg/TFMessage', {});
      await robot.driver.waitMatched();
      await robot.driver.publish('/tf', { transforms: [turned(0, 100n * S), turned(80, 101n * S)] });
    });

    after(end);

    // time goes on from test to test
    it('names both frames and the gap in seconds for an image before the first transform', async () => {
      const [, at, gap] = await robot.publishUntil(
        robot.node.waitForLog(
          /"turning" to "base_link" at (\d+)\.000 s: that is (\d+)\.000 s before the oldest known pose/,
        ),
        { first: 10n * S, step: S },
      );
      assert.equal(Number(gap), 100 - Number(at));
    });

    it('is where it was at the image’s stamp, between two transforms', async () => {
      for (const [first, expected] of [
        [100n * S + S / 4n, 20],
        [100n * S + (3n * S) / 4n, 60],
      ] as const) {
        const coverage = robot.next<ReceivedCloud>(
          '~/camera_coverage',
          ({ header, width }) => nsFromTime(header.stamp) >= first && width > 0,
        );
        const found = bearing(await robot.publishUntil(coverage, { first }));
        assert.ok(isNear(found, expected), `${found}° instead of ${expected}°`);
      }
    });

    it('names both frames and the gap in seconds where its transforms end too early', async () => {
      const pattern =
        /no transform from "turning" to "base_link" at (\d+)\.500 s: that is (\d+)\.500 s after the newest known pose of "turning" in "base_link"/;
      // the log says the same thing only now and then
      const { message } = await robot.publishUntil(
        robot.status('camera front', (status) => pattern.test(status.message)),
        { first: 103n * S + S / 2n, step: S },
      );
      const [, at, gap] = pattern.exec(message)!;
      assert.equal(Number(gap), Number(at) - 101);
    });
  });

  describe('what changes while the node runs takes effect without a restart', () => {
    before(() => start());
    after(end);
    afterEach(() => robot.rest());

    it('distortion is part of the projection: a distorted camera sees another part of the grid', async () => {
      await robot.stream();
      const straight = await robot.next<ReceivedCloud>('~/camera_coverage', ({ width }) => width > 0);
      await robot.stop('front');
      await robot.stream(['front'], { info: { d: [-0.25, 0, 0, 0, 0] } });
      const bent = await robot.next<ReceivedCloud>(
        '~/camera_coverage',
        ({ width }) => width > straight.width * 1.05,
      );
      assert.ok(bent.width > straight.width);
      assert.ok(isNear(bearing(bent), 0));
    });

    it('a calibration that changes takes effect without a restart', async () => {
      await robot.stream();
      const wide = await robot.next<ReceivedCloud>('~/camera_coverage', ({ width }) => width > 0);
      await robot.stop('front');
      await robot.stream(['front'], { info: { k: [480, 0, 160, 0, 480, 90, 0, 0, 1] } });
      const after = await robot.next<ReceivedCloud>(
        '~/camera_coverage',
        ({ width }) => width < wide.width * 0.6,
      );
      assert.ok(after.width > 0);
    });

    it('a mount that is published anew takes effect without a restart', async () => {
      await robot.stream();
      assert.ok(isNear(await nextBearing(), 0));
      await robot.publishMounts([{ name: 'front', degrees: 90 }]);
      await robot.next<ReceivedCloud>('~/camera_coverage', (cloud) => isNear(bearing(cloud), 90));
    });
  });

  for (const [what, text, message] of [
    [
      'is missing',
      undefined,
      /camera front: cannot read its calibration file .*ENOENT.*correct camera\.front\.calibration_file/,
    ],
    [
      'is no calibration',
      'image_width: 320\n',
      /expected distortion_model to be a name such as plumb_bob, found undefined/,
    ],
    [
      'has a matrix of another size',
      CALIBRATION.replace('90., 0., 0., 1.]', '90.]'),
      /expected camera_matrix\.data to be 9 numbers, found \[160,0,160,0,160,90\]/,
    ],
  ] as const) {
    it(`a calibration file that ${what} refuses to start`, async () => {
      const graph = new Ros2Graph(ros);
      const file = path.join(graph.folder, 'front.yaml');
      if (text !== undefined) writeFileSync(file, text);
      try {
        const given = ['-p', 'cameras:=[front]', '-p', `camera.front.calibration_file:=${file}`];
        const node = graph.startNode(['--ros-args', ...given]);
        assert.deepEqual(await node.exit(), { code: 2, signal: null });
        assert.match(node.log, message);
      } finally {
        await graph.dispose();
      }
    });
  }
});
