import sharp from 'sharp';
import type { Metadata, Sharp } from 'sharp';

import { BdcError } from '../errors.js';
import { InputTransform } from './input-transform.js';
import type { NetworkInput } from './input-transform.js';
import type { CameraImage, RigCamera } from './types.js';

type RawImage = Extract<CameraImage, { kind: 'raw' }>;

/** Bytes per pixel, and whether blue comes first. */
const ENCODINGS: Readonly<Record<string, { readonly channels: 1 | 3 | 4; readonly isBgr: boolean }>> = {
  rgb8: { channels: 3, isBgr: false },
  bgr8: { channels: 3, isBgr: true },
  rgba8: { channels: 4, isBgr: false },
  bgra8: { channels: 4, isBgr: true },
  mono8: { channels: 1, isBgr: false },
};

/**
 * Decodes a camera's image and makes the network's input of it (docs/model-format.md, "Input images"): RGB bytes
 * `[height, width, 3]`. The work is done on libvips' threads. An embedded colour profile and EXIF orientation are ignored: the
 * calibration describes the stored pixels.
 *
 * @throws BdcError of kind `camera`, with codes `CAMERA_IMAGE_*`
 */
export async function prepareImage(
  image: CameraImage,
  camera: RigCamera,
  input: NetworkInput,
): Promise<Uint8Array> {
  const pixels = image.kind === 'compressed' ? await decode(image.data, camera) : await unpack(image, camera);
  const { resizedWidth, resizedHeight, cropX, cropY } = new InputTransform(camera.model, input);
  const { data, info } = await pixels
    // `linear` is the triangle filter, widened by the scale when shrinking. Beyond the border libvips repeats the outermost pixel
    // where Pillow leaves it out: the outermost pixels may differ from training by a few grey levels.
    .resize(resizedWidth, resizedHeight, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
    .extract({ left: cropX, top: cropY, width: input.width, height: input.height })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw undecodable(camera, cause);
    });
  if (info.channels !== 3) {
    throw new Error(`sharp gave ${info.channels} channels where 3 were asked for`);
  }
  return data;
}

async function decode(data: Uint8Array, camera: RigCamera): Promise<Sharp> {
  let pixels: Sharp;
  let metadata: Metadata;
  try {
    // `error`: cut files fail, stray bytes between JPEG markers, which many cameras write, do not.
    pixels = sharp(data, { failOn: 'error', ignoreIcc: true });
    metadata = await pixels.metadata();
  } catch (cause) {
    throw undecodable(camera, cause);
  }
  const { width, height, depth } = metadata;
  if (depth !== 'uchar') {
    throw new BdcError('camera', {
      code: 'CAMERA_IMAGE_ENCODING',
      message: `camera ${camera.name}: images must have 8 bits a channel, found ${depth}`,
    });
  }
  checkSize(camera, width, height);
  return pixels;
}

async function unpack(image: RawImage, camera: RigCamera): Promise<Sharp> {
  const encoding = Object.hasOwn(ENCODINGS, image.encoding) ? ENCODINGS[image.encoding]! : undefined;
  if (encoding === undefined) {
    throw new BdcError('camera', {
      code: 'CAMERA_IMAGE_ENCODING',
      message:
        `camera ${camera.name}: image encoding "${image.encoding}" is not supported; ` +
        `use one of ${Object.keys(ENCODINGS).join(', ')} or a compressed image`,
    });
  }
  const { width, height, step, data } = image;
  checkSize(camera, width, height);
  const rowBytes = width * encoding.channels;
  if (!Number.isInteger(step) || step < rowBytes || data.length !== step * height) {
    throw new BdcError('camera', {
      code: 'CAMERA_IMAGE_LAYOUT',
      message:
        `camera ${camera.name}: a ${width} × ${height} ${image.encoding} image has a step of at least ${rowBytes} bytes and ` +
        `step · height bytes of data, found step ${step} and ${data.length} bytes`,
    });
  }
  let pixels = sharp(await withoutPadding(data, step, rowBytes, height), {
    raw: { width, height, channels: encoding.channels },
  });
  if (encoding.channels === 4) {
    // Before the resize, which would weigh colours by alpha: some cameras leave it 0.
    const rgb = await pixels.removeAlpha().raw().toBuffer();
    pixels = sharp(rgb, { raw: { width, height, channels: 3 } });
  }
  if (!encoding.isBgr) return pixels;
  return pixels.recomb([
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ]);
}

/** Takes the image for one of single bytes, `step` wide, and cuts off the padding, on sharp's threads. */
async function withoutPadding(
  data: Uint8Array,
  step: number,
  rowBytes: number,
  height: number,
): Promise<Uint8Array> {
  if (step === rowBytes) return data;
  return sharp(data, { raw: { width: step, height, channels: 1 } })
    .extract({ left: 0, top: 0, width: rowBytes, height })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
}

function checkSize({ name, model }: RigCamera, width: number, height: number): void {
  if (width === model.width && height === model.height) return;
  throw new BdcError('camera', {
    code: 'CAMERA_IMAGE_SIZE',
    message:
      `camera ${name}: its calibration is of ${model.width} × ${model.height} images, found ${width} × ${height}; ` +
      'publish the CameraInfo that belongs to the images',
  });
}

const undecodable = ({ name }: RigCamera, cause: unknown): BdcError =>
  new BdcError('camera', {
    code: 'CAMERA_IMAGE_UNDECODABLE',
    message:
      `camera ${name}: the image cannot be decoded: ` +
      `${cause instanceof Error ? cause.message : String(cause)}; JPEG, PNG and WebP are supported`,
    cause,
  });
