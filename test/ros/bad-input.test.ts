import assert from 'node:assert/strict';
import { imageTopic, infoTopic } from './camera-scene.js';
import { requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';
import { Robot } from './robot.js';
import { repeatUntil } from './waiting.js';

const LIMIT_MS = 180_000;
const FRONT = 'CAM_FRONT';

describe('the node, given bad input', function () {
  this.timeout(LIMIT_MS);
  let ros: Ros2Environment;
  let robot: Robot;

  before(function () {
    ros = requireRos2(this);
  });

  beforeEach(async () => {
    robot = await Robot.assemble(ros, 'raw');
    await robot.startNode();
    await robot.receiveResults();
    await robot.startCameras();
    await robot.scene.publishTransforms(robot.cameras);
  });

  afterEach(async () => {
    await robot?.graph.dispose();
  });

  /** Sends something until the node complains. */
  const untilLogged = (pattern: RegExp, send: () => Promise<unknown>): Promise<unknown> =>
    repeatUntil(robot.node.waitForLog(pattern), send, 200);

  it('drops bytes that are no Image and goes on', async () => {
    // a valid header, then an image whose encoding says that it is 4 GB long
    const hex = `00010000${'00'.repeat(12)}01000000000000000400000004000000ffffffff`;
    await untilLogged(/expected a sensor_msgs\/msg\/Image in \d+ bytes.*MESSAGE_MALFORMED, \d+ times/, () =>
      robot.cameras.request({ op: 'publish_bytes', topic: imageTopic(FRONT), hex }),
    );
    assert.equal((await robot.nextResults()).cloud.header.frame_id, 'base_link');
  });

  it('goes on without a camera whose images have an unknown encoding, and says which', async () => {
    const { camera, topic } = { camera: 'CAM_BACK', topic: imageTopic('CAM_BACK') };
    const working = robot.scene.cameras.filter((name) => name !== camera);
    let shift = 0n;
    await untilLogged(/CAM_BACK.*"?bayer_xyz"?/, async () => {
      shift = await robot.publishImages(working);
      const stamp = robot.scene.stampOf(camera) + shift;
      const header = {
        stamp: { sec: Number(stamp / 1_000_000_000n), nanosec: Number(stamp % 1_000_000_000n) },
        frame_id: `${camera}_optical`,
      };
      await robot.scene.publishInfo(robot.cameras, camera, shift);
      await robot.cameras.publish(topic, {
        header,
        width: 2,
        height: 2,
        step: 6,
        encoding: 'bayer_xyz',
        data: [],
      });
    });
    assert.equal((await robot.nextResults()).cloud.header.frame_id, 'base_link');
  });

  it('says that a camera is not calibrated', async () => {
    await untilLogged(/camera CAM_FRONT: K is all zeros/, async () => {
      const k = new Array<number>(9).fill(0);
      await robot.cameras.publish(infoTopic(FRONT), { header: { frame_id: 'x' }, width: 4, height: 4, k });
      await robot.cameras.publish(imageTopic(FRONT), {
        header: { stamp: { sec: Math.floor(Date.now() / 1000) } },
      });
    });
  });
});
