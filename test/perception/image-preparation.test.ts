import assert from 'node:assert/strict';

import sharp from 'sharp';

import { BdcError } from '../../src/errors.js';
import { prepareImage } from '../../src/perception/image-preparation.js';
import type { CameraImage } from '../../src/perception/types.js';
import { cameraLooking } from './rig.js';

const WIDTH = 6;
const HEIGHT = 4;
const camera = cameraLooking('front', 0, { width: WIDTH, height: HEIGHT });
const sameSize = { width: WIDTH, height: HEIGHT };

/** Red grows to the right, green downwards, blue is 7. */
const rgb = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
  const pixel = Math.floor(i / 3);
  return [(pixel % WIDTH) * 40, Math.floor(pixel / WIDTH) * 60, 7][i % 3]!;
});

function raw(
  encoding: string,
  toPixel: (rgb: readonly number[]) => readonly number[],
  padding = 0,
): CameraImage {
  const rows = Array.from({ length: HEIGHT }, (_, row) => [
    ...Array.from({ length: WIDTH }, (_, column) => {
      const at = (row * WIDTH + column) * 3;
      return toPixel([rgb[at]!, rgb[at + 1]!, rgb[at + 2]!]);
    }).flat(),
    ...new Array<number>(padding).fill(255),
  ]);
  const data = Uint8Array.from(rows.flat());
  return {
    kind: 'raw',
    stamp: 0n,
    width: WIDTH,
    height: HEIGHT,
    encoding,
    step: rows[0]!.length,
    isBigEndian: false,
    data,
  };
}

const compressed = (data: Uint8Array): CameraImage => ({ kind: 'compressed', stamp: 0n, data });

const refused =
  (code: string, message: RegExp) =>
  (error: unknown): true => {
    assert.ok(error instanceof BdcError, String(error));
    assert.equal(error.kind, 'camera');
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.match(error.message, /camera front/);
    return true;
  };

describe('prepareImage', () => {
  const png = sharp(rgb, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }).png();

  for (const [encoding, toPixel] of [
    ['rgb8', ([r, g, b]: readonly number[]) => [r!, g!, b!]],
    ['bgr8', ([r, g, b]: readonly number[]) => [b!, g!, r!]],
    ['rgba8', ([r, g, b]: readonly number[]) => [r!, g!, b!, 0]],
    ['bgra8', ([r, g, b]: readonly number[]) => [b!, g!, r!, 128]],
  ] as const) {
    for (const padding of [0, 5]) {
      it(`reads ${encoding} with ${padding} bytes of padding a row`, async () => {
        const prepared = await prepareImage(raw(encoding, toPixel, padding), camera, sameSize);
        assert.deepEqual([...prepared], [...rgb]);
      });
    }
  }

  it('makes three equal channels of mono8', async () => {
    const prepared = await prepareImage(
      raw('mono8', ([r]) => [r!], 3),
      camera,
      sameSize,
    );
    assert.deepEqual(
      [...prepared],
      [...rgb].map((_, i) => rgb[i - (i % 3)]),
    );
  });

  it('reads PNG, with an alpha channel or grey too', async () => {
    assert.deepEqual([...(await prepareImage(compressed(await png.toBuffer()), camera, sameSize))], [...rgb]);
    const alpha = await png.clone().ensureAlpha(1).toBuffer();
    assert.deepEqual([...(await prepareImage(compressed(alpha), camera, sameSize))], [...rgb]);
    const red = rgb.filter((_, i) => i % 3 === 0);
    const grey = await sharp(red, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const prepared = await prepareImage(compressed(grey), camera, sameSize);
    assert.deepEqual(
      [...prepared],
      [...rgb].map((_, i) => rgb[i - (i % 3)]),
    );
  });

  it('decodes a large JPEG at half its size, within a grey level of the whole, or as a whole if asked to', async () => {
    const [width, height] = [1600, 900];
    const waves = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      return 128 + 60 * Math.sin(x / 20 + (i % 3)) + 60 * Math.cos(y / 15 + x / 40);
    });
    const jpeg = await sharp(waves, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 92 })
      .toBuffer();
    const whole = await sharp(jpeg).raw().toBuffer();
    const large = cameraLooking('front', 0, { width, height });
    const input = { width: 352, height: 128 };
    const prepared = await prepareImage(compressed(jpeg), large, input);
    const expected = await prepareImage(
      { ...raw('rgb8', (pixel) => pixel), width, height, step: width * 3, data: whole } as CameraImage,
      large,
      input,
    );
    const difference = prepared.reduce((sum, value, i) => sum + Math.abs(value - expected[i]!), 0);
    assert.ok(difference > 0, 'decoded as a whole');
    assert.ok(difference / prepared.length < 1, `mean difference ${difference / prepared.length}`);
    const asked = await prepareImage(compressed(jpeg), large, input, { jpegHalfScale: false });
    assert.deepEqual(asked, expected);
  });

  it('scales with the widened triangle filter and crops at the top', async () => {
    // 6 × 4 to 3 × 1: scale 0.5 and one of two rows cropped. Weights of halving by the triangle filter: 1 3 3 1, the border repeated.
    const prepared = await prepareImage(
      raw('rgb8', (pixel) => pixel),
      camera,
      { width: 3, height: 1 },
    );
    const halved = (values: readonly number[], i: number): number =>
      [1, 3, 3, 1].reduce((sum, weight, tap) => {
        const at = Math.min(values.length - 1, Math.max(0, 2 * i - 1 + tap));
        return sum + (weight / 8) * values[at]!;
      }, 0);
    const columns = Array.from({ length: WIDTH }, (_, column) => column * 40);
    const rows = Array.from({ length: HEIGHT }, (_, row) => row * 60);
    for (const column of [0, 1, 2]) {
      const [r, g, b] = prepared.subarray(column * 3);
      assert.ok(
        Math.abs(r! - halved(columns, column)) <= 1,
        `red ${r} at ${column}: ${halved(columns, column)}`,
      );
      assert.ok(Math.abs(g! - halved(rows, 1)) <= 1, `green ${g}: ${halved(rows, 1)}`);
      assert.equal(b, 7);
    }
  });

  describe('refuses', () => {
    it('an encoding it does not know, and names those that it does', async () => {
      await assert.rejects(
        prepareImage({ ...raw('rgb8', (p) => p), encoding: 'bayer_xyz8' } as CameraImage, camera, sameSize),
        refused('CAMERA_IMAGE_ENCODING', /"bayer_xyz8" is not supported.*rgb8, bgr8, rgba8, bgra8, mono8/),
      );
      await assert.rejects(
        prepareImage({ ...raw('rgb8', (p) => p), encoding: 'mono16' } as CameraImage, camera, sameSize),
        refused('CAMERA_IMAGE_ENCODING', /"mono16"/),
      );
    });

    it('a step below the width, and one that disagrees with the data', async () => {
      for (const step of [WIDTH * 3 - 1, WIDTH * 3 + 1, 0, NaN]) {
        await assert.rejects(
          prepareImage({ ...raw('rgb8', (p) => p), step } as CameraImage, camera, sameSize),
          refused('CAMERA_IMAGE_LAYOUT', /at least 18 bytes.*found step/),
        );
      }
    });

    it('an image of another size than its calibration', async () => {
      const other = cameraLooking('front', 0, { width: 7, height: 4 });
      const found = /7 × 4 images, found 6 × 4/;
      await assert.rejects(
        prepareImage(
          raw('rgb8', (p) => p),
          other,
          sameSize,
        ),
        refused('CAMERA_IMAGE_SIZE', found),
      );
      await assert.rejects(
        prepareImage(compressed(await png.toBuffer()), other, sameSize),
        refused('CAMERA_IMAGE_SIZE', found),
      );
    });

    it('a PNG of 16 bits', async () => {
      const deep = await png.clone().toColourspace('rgb16').toBuffer();
      await assert.rejects(
        prepareImage(compressed(deep), camera, sameSize),
        refused('CAMERA_IMAGE_ENCODING', /8 bits a channel, found ushort/),
      );
    });

    it('what is no image, nothing at all, and a cut JPEG', async () => {
      const large = cameraLooking('front', 0, { width: 64, height: 64 });
      const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251);
      const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
        .jpeg()
        .toBuffer();
      for (const data of [Uint8Array.of(1, 2, 3), new Uint8Array(), jpeg.subarray(0, jpeg.length / 2)]) {
        await assert.rejects(
          prepareImage(compressed(data), large, sameSize),
          refused('CAMERA_IMAGE_UNDECODABLE', /cannot be decoded/),
        );
      }
    });
  });
});
