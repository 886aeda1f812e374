import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { loadEngine } from '../../src/engine/load-engine.js';
import type { Engine } from '../../src/engine/types.js';
import { cameraModelFromInfo } from '../../src/geometry/camera-info.js';
import { occupiedVoxelsCloud } from '../../src/messages/occupied-voxels-cloud.js';
import { nsFromTime, timeFromNs } from '../../src/messages/stamp.js';
import { PerceptionPipeline } from '../../src/perception/perception-pipeline.js';
import { RAW_ENCODINGS } from '../../src/perception/raw-encodings.js';
import type { CameraImage } from '../../src/perception/types.js';
import { encoded, smoothPicture } from '../perception/encode-image.js';
import { modelFile } from './frame-file.js';
import { RingRobot } from './helpers/ring-robot.js';
import type { RingCamera } from './helpers/ring-robot.js';
import { arrayBytes } from './peer.js';
import type { ReceivedCloud } from './robot.js';
import { requireRos2 } from './ros2-graph.js';
import type { Ros2Environment } from './ros2-graph.js';
import { repeatUntil } from './waiting.js';

const CLOUD = 'sensor_msgs/msg/PointCloud2';

type Unstamped<Image> = Image extends CameraImage ? Omit<Image, 'stamp'> : never;

const picture = smoothPicture(320, 180);
const { width, height } = picture;
const S = 1_000_000_000n;

describe('behaviour 4: image encodings', function () {
  this.timeout(180_000);
  let ros: Ros2Environment;
  let robot: RingRobot;
  let engine: Engine;
  let pipeline: PerceptionPipeline;
  let stamp = 1000n * S;

  const start = async (camera: RingCamera): Promise<void> => {
    robot = await RingRobot.start(ros, { cameras: [camera] });
    await robot.listen('~/occupied_voxels', CLOUD);
    engine = await loadEngine(modelFile());
    pipeline = new PerceptionPipeline({ engine });
    const info = robot.infoMessage(camera) as unknown as Parameters<typeof cameraModelFromInfo>[0];
    const model = cameraModelFromInfo(info, camera.name);
    const baseFromCamera = RingRobot.mount(camera);
    await pipeline.setRig({
      baseFrame: 'base_link',
      cameras: [{ name: camera.name, model, baseFromCamera }],
    });
  };

  before(function () {
    ros = requireRos2(this);
  });

  after(async () => {
    await robot?.graph.dispose();
    engine?.dispose();
  });

  /** Publishes an image with its CameraInfo again and again, under newer and newer stamps. */
  const publishUntil = <T>(come: Promise<T>, message: object): Promise<T> =>
    repeatUntil(come, async () => {
      stamp += S;
      const header = { stamp: timeFromNs(stamp), frame_id: robot.opticalFrame('front') };
      const info = robot.infoMessage(robot.camera('front'));
      await robot.driver.publish(robot.infoTopic('front'), { ...info, header });
      await robot.driver.publish(robot.imageTopic('front'), { ...message, header });
    });
  const received = (message: object): Promise<ReceivedCloud> => {
    const last = stamp;
    const isNew = ({ header }: ReceivedCloud): boolean => nsFromTime(header.stamp) > last;
    return publishUntil(robot.next<ReceivedCloud>('~/occupied_voxels', isNew), message);
  };

  /** What comes over the graph is what the pipeline makes of the same bytes. */
  const assertSame = async (cloud: ReceivedCloud, unstamped: Unstamped<CameraImage>): Promise<void> => {
    const { stamp: seconds } = cloud.header;
    const image = { ...unstamped, stamp: nsFromTime(seconds) };
    const result = await pipeline.process({ stamp: image.stamp, images: [image] });
    const expected = occupiedVoxelsCloud(result, engine.manifest.occupancy!);
    assert.ok(expected.width > 0, 'a frame without voxels shows nothing');
    assert.ok(arrayBytes(cloud.data).equals(expected.data));
  };

  describe('raw', () => {
    before(() => start({ name: 'front', degrees: 0, transport: 'raw' }));
    after(() => robot?.graph.dispose());

    const file = (data: Uint8Array): { readonly file: string } => {
      const target = path.join(robot.graph.folder, 'encoded.bin');
      writeFileSync(target, data);
      return { file: target };
    };

    for (const encoding of RAW_ENCODINGS.keys()) {
      if (encoding === 'mono8' || encoding === '8UC1') continue;
      it(`${encoding}, with padded rows and the big-endian flag`, async () => {
        const { step, data } = encoded(picture, encoding, 10);
        const message = { width, height, encoding, step, is_bigendian: 1, data: file(data) };
        const cloud = await received(message);
        await assertSame(cloud, {
          kind: 'raw',
          width,
          height,
          encoding,
          step,
          isBigEndian: true,
          data,
        });
      });
    }

    it('mono8', async () => {
      const data = new Uint8Array(width * height).map((_, i) => i % 251);
      const cloud = await received({ width, height, encoding: 'mono8', step: width, data: file(data) });
      const image = { width, height, encoding: 'mono8', step: width, isBigEndian: false, data };
      await assertSame(cloud, { kind: 'raw', ...image });
    });

    for (const encoding of ['mono16', 'rgb16', 'bayer_rggb16', '16UC1']) {
      it(`${encoding} is rejected with a clear word, and the node goes on`, async () => {
        const data = file(new Uint8Array(width * height * 2));
        const { level, message } = await publishUntil(
          robot.status('camera front', (status) =>
            status.message.includes(`image encoding "${encoding}" has more than 8 bits a channel`),
          ),
          { width, height, encoding, step: width * 2, data },
        );
        assert.match(message, /have the driver give 8 bits; use one of rgb8, bgr8/);
        assert.equal(level, 1);
        await received(robot.imageMessage('front'));
      });
    }
  });

  describe('compressed', () => {
    before(async () => {
      stamp = 5000n * S;
      await start({ name: 'front', degrees: 0 });
    });

    const image = sharp(picture.data, { raw: { width, height, channels: 3 } });
    for (const [format, bytes] of [
      ['jpeg', () => image.clone().jpeg().toBuffer()],
      ['png', () => image.clone().png().toBuffer()],
    ] as const) {
      it(format, async () => {
        const data = await bytes();
        const target = path.join(robot.graph.folder, `picture.${format}`);
        writeFileSync(target, data);
        const cloud = await received({ format, data: { file: target } });
        await assertSame(cloud, { kind: 'compressed', data });
      });
    }

    it('of 16 bits is rejected with a clear word', async () => {
      const data = await image.clone().toColourspace('rgb16').png().toBuffer();
      const target = path.join(robot.graph.folder, 'deep.png');
      writeFileSync(target, data);
      await publishUntil(robot.node.waitForLog(/images must have 8 bits a channel, found ushort/), {
        format: 'png',
        data: { file: target },
      });
    });
  });
});
