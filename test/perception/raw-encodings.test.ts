import assert from 'node:assert/strict';

import { prepareImage } from '../../src/perception/image-preparation.js';
import { RAW_ENCODINGS } from '../../src/perception/raw-encodings.js';
import type { CameraImage } from '../../src/perception/types.js';
import { encoded, smoothPicture } from './encode-image.js';
import { cameraLooking } from './rig.js';

const picture = smoothPicture(96, 64);
const { width, height } = picture;
const camera = cameraLooking('front', 0, { width, height });
/** Scaled by 0.5 and cropped at the top. */
const input = { width: 48, height: 26 };

const raw = (encoding: string, changes: object = {}, padding = 0): CameraImage => ({
  kind: 'raw',
  stamp: 0n,
  width,
  height,
  encoding,
  isBigEndian: false,
  ...encoded(picture, encoding, padding),
  ...changes,
});

const meanDifference = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;

describe('raw image encodings', () => {
  let expected: Uint8Array;

  before(async () => {
    expected = await prepareImage(raw('rgb8'), camera, input);
  });

  const colored = [...RAW_ENCODINGS.keys()].filter((name) => !['mono8', '8UC1'].includes(name));

  for (const encoding of colored) {
    it(`${encoding} gives the picture that rgb8 gives, with padded rows too`, async () => {
      for (const padding of [0, 6]) {
        const prepared = await prepareImage(raw(encoding, {}, padding), camera, input);
        assert.equal(prepared.length, expected.length);
        const difference = meanDifference(prepared, expected);
        assert.ok(difference < 1.6, `${encoding}, padding ${padding}: ${difference}`);
      }
    });
  }

  it('are told apart: another order of the same bytes is another picture', async () => {
    for (const [written, read] of [
      ['uyvy', 'yuyv'],
      ['nv12', 'nv21'],
      ['bayer_rggb8', 'bayer_bggr8'],
      ['bayer_grbg8', 'bayer_gbrg8'],
    ] as const) {
      const prepared = await prepareImage(raw(written, { encoding: read }), camera, input);
      assert.ok(meanDifference(prepared, expected) > 10, `${written} read as ${read}`);
    }
  });

  it('do not depend on the big-endian flag', async () => {
    const prepared = await prepareImage(raw('yuyv', { isBigEndian: true }), camera, input);
    assert.deepEqual(prepared, await prepareImage(raw('yuyv'), camera, input));
  });

  it('keep colours at the ends of the range', async () => {
    const data = new Uint8Array(width * height * 2).map((_, i) => (i % 2 === 0 ? 128 : 255));
    const white = await prepareImage(raw('uyvy', { data }), camera, input);
    assert.deepEqual(new Set(white), new Set([255]));
  });

  for (const encoding of ['mono16', 'rgb16', 'bgra16', 'bayer_rggb16', '16UC1', '32FC1', 'bayer_bggr12']) {
    it(`${encoding} is refused for its depth`, async () => {
      await assert.rejects(prepareImage(raw('rgb8', { encoding }), camera, input), {
        code: 'CAMERA_IMAGE_ENCODING',
        message: new RegExp(
          `"${encoding}" has more than 8 bits a channel.*have the driver give 8 bits.*rgb8, bgr8`,
        ),
      });
    });
  }

  it('are refused where pixels that share their colour have no neighbour', async () => {
    const odd = cameraLooking('front', 0, { width: 95, height });
    const image = raw('yuyv', { width: 95 });
    await assert.rejects(prepareImage(image, odd, input), {
      code: 'CAMERA_IMAGE_LAYOUT',
      message: /even sides/,
    });
  });

  it('are refused where the data is not as long as all planes', async () => {
    const { data } = encoded(picture, 'nv12');
    await assert.rejects(
      prepareImage(raw('nv12', { data: data.subarray(0, width * height) }), camera, input),
      {
        code: 'CAMERA_IMAGE_LAYOUT',
        message: /96 · step bytes of data, found step 96 and 6144 bytes/,
      },
    );
  });
});
