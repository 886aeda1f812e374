import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BagReader } from '../../src/bag/bag-reader.js';
import type { CameraInfo } from '../../src/geometry/camera-info.js';
import { MessageCodec } from '../../src/messages/message-codec.js';
import type { RiggedFrame } from '../../src/perception/camera-intake.js';
import type { CameraImage } from '../../src/perception/types.js';
import { saveFrame } from '../../src/ros/save-frame.js';
import { cameraLooking } from '../perception/rig.js';

const SIX = ['a', 'b', 'c', 'd', 'e', 'f'];
const [width, height] = [1600, 900];
const stamp = 12_000_000_034n;
const IMAGE = 'sensor_msgs/msg/Image';

/** No two rows and no two cameras are alike. */
const rawImage = (camera: number): CameraImage => {
  const data = new Uint8Array(width * height * 3).map((_, i) => (i * (7 + camera) + (i >> 11) * 13) & 255);
  return { kind: 'raw', stamp, width, height, encoding: 'rgb8', step: width * 3, isBigEndian: false, data };
};

describe('saveFrame', function () {
  this.timeout(60_000);
  let directory: string;
  let saved: RiggedFrame;
  const info: CameraInfo = {
    width,
    height,
    distortion_model: 'plumb_bob',
    d: [],
    k: [800, 0, 800, 0, 800, 450, 0, 0, 1],
  };
  const intake = { calibrationOf: (camera: string) => ({ frameId: `${camera}_optical`, info }) };

  before(() => {
    const cameras = SIX.map((name, i) => cameraLooking(name, i, { width, height, focalLength: 800 }));
    saved = {
      rig: { baseFrame: 'base_link', cameras },
      frame: { stamp, images: SIX.map((_, i) => rawImage(i)) },
    };
  });
  beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'bdc-save-frame-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it('writes six raw images whole, and leaves the event loop to others meanwhile', async () => {
    const before = performance.eventLoopUtilization();
    const file = await saveFrame(saved, intake, directory);
    const { utilization } = performance.eventLoopUtilization(before);
    // packed here it would be all of the time
    assert.ok(utilization < 0.3, `${utilization} of the time`);

    const reader = await BagReader.open(file);
    const codec = new MessageCodec();
    const found = new Set<string>();
    for await (const { topic, data, logTime } of reader.messages()) {
      assert.equal(logTime, stamp);
      if (topic.type !== IMAGE) continue;
      const image = codec.decode(IMAGE, data);
      const camera = SIX.findIndex((name) => topic.name === `/camera/${name}/image_raw`);
      assert.ok(Buffer.from(saved.frame.images[camera]!.data).equals(image.data), topic.name);
      assert.equal(image.header.frame_id, `${SIX[camera]}_optical`);
      found.add(topic.name);
    }
    await reader.close();
    assert.equal(found.size, SIX.length);
  });

  it('says which file cannot be written, and the folder that cannot be made', async () => {
    mkdirSync(path.join(directory, `frame_${stamp}.mcap`));
    await assert.rejects(saveFrame(saved, intake, directory), {
      code: 'OUTPUT_NOT_WRITABLE',
      message: /frame_12000000034\.mcap cannot be written: it is a folder/,
    });
    const file = path.join(directory, 'file');
    writeFileSync(file, '');
    await assert.rejects(saveFrame(saved, intake, path.join(file, 'below')), {
      code: 'OUTPUT_NOT_WRITABLE',
      message: /below\/frame_12000000034\.mcap cannot be written: ENOTDIR/,
    });
  });
});
