import sharp from 'sharp';
import type { Metadata, Sharp } from 'sharp';

import { nativeImages, type UnpackedImage } from '../engine/native.js';
import { BdcError } from '../errors.js';
import { InputTransform } from './input-transform.js';
import type { NetworkInput } from './input-transform.js';
import { isDeepEncoding, RAW_ENCODINGS, rawShape } from './raw-encodings.js';
import type { RawLayout } from './raw-encodings.js';
import type { CameraImage, RigCamera } from './types.js';

// libvips would keep what it has decoded, and no image comes twice
sharp.cache(false);

type RawImage = Extract<CameraImage, { kind: 'raw' }>;

export interface PreparationOptions {
  /**
   * Whether JPEGs of four times the input's size or more are decoded at half their size, straight from their DCT coefficients. Default true:
   * it takes half the time and differs by half a grey level on average (docs/deployment.md).
   */
  readonly jpegHalfScale?: boolean;
}

/**
 * Decodes a camera's image and makes the network's input of it (docs/model-format.md, "Input images"): RGB bytes
 * `[height, width, 3]`. The work is done on libvips' and libuv's threads. An embedded colour profile and EXIF orientation are ignored: the
 * calibration describes the stored pixels.
 *
 * @throws BdcError of kind `camera`, with codes `CAMERA_IMAGE_*`
 */
export async function prepareImage(
  image: CameraImage,
  camera: RigCamera,
  input: NetworkInput,
  options: PreparationOptions = {},
): Promise<Uint8Array> {
  const { resizedWidth, resizedHeight, cropX, cropY } = new InputTransform(camera.model, input);
  const resized = scaled(await pixelsOf(image, camera, options), resizedWidth, resizedHeight);
  return rgbBytes(
    resized.extract({ left: cropX, top: cropY, width: input.width, height: input.height }),
    camera,
  );
}

/**
 * A camera's whole image as RGB bytes `[height, width, 3]` of that size.
 *
 * @throws as `prepareImage`
 */
export async function decodeImage(
  image: CameraImage,
  camera: RigCamera,
  { width, height }: { readonly width: number; readonly height: number },
  options: PreparationOptions = {},
): Promise<UnpackedImage> {
  const data = await rgbBytes(scaled(await pixelsOf(image, camera, options), width, height), camera);
  return { data, width, height };
}

async function pixelsOf(
  image: CameraImage,
  camera: RigCamera,
  { jpegHalfScale = true }: PreparationOptions,
): Promise<Sharp> {
  const pixels = await (image.kind === 'compressed' ? decode(image.data, camera) : unpack(image, camera));
  return jpegHalfScale ? pixels : whole(pixels, camera);
}

/** sharp decodes at a fraction of the size only what it scales first. */
const whole = (pixels: Sharp, { model: { width, height } }: RigCamera): Sharp =>
  pixels.extract({ left: 0, top: 0, width, height });

/**
 * `linear` is the triangle filter, widened by the scale when shrinking. Beyond the border libvips repeats the outermost pixel where Pillow
 * leaves it out: the outermost pixels may differ from training by a few grey levels.
 */
const scaled = (pixels: Sharp, width: number, height: number): Sharp =>
  pixels.resize(width, height, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false });

async function rgbBytes(pixels: Sharp, camera: RigCamera): Promise<Uint8Array> {
  const { data, info } = await pixels
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

/** @throws BdcError `CAMERA_IMAGE_ENCODING`, `CAMERA_IMAGE_SIZE`, `CAMERA_IMAGE_LAYOUT` */
function checkedLayout({ encoding, width, height, step, data }: RawImage, camera: RigCamera): RawLayout {
  const layout = RAW_ENCODINGS.get(encoding);
  if (layout === undefined) {
    const why = isDeepEncoding(encoding)
      ? 'has more than 8 bits a channel, which the network was not trained with; have the driver give 8 bits'
      : 'is not supported';
    throw new BdcError('camera', {
      code: 'CAMERA_IMAGE_ENCODING',
      message:
        `camera ${camera.name}: image encoding "${encoding}" ${why}; ` +
        `use one of ${[...RAW_ENCODINGS.keys()].join(', ')} or a compressed image`,
    });
  }
  checkSize(camera, width, height);
  const { rowBytes, rows, isEven } = rawShape(layout, width, height);
  const isLaidOut = Number.isInteger(step) && step >= rowBytes && data.length === step * rows;
  if (!isLaidOut || (isEven && (width % 2 !== 0 || height % 2 !== 0))) {
    throw new BdcError('camera', {
      code: 'CAMERA_IMAGE_LAYOUT',
      message:
        `camera ${camera.name}: a ${width} × ${height} ${encoding} image has ${isEven ? 'even sides, ' : ''}` +
        `a step of at least ${rowBytes} bytes and ${rows} · step bytes of data, found step ${step} and ${data.length} bytes`,
    });
  }
  return layout;
}

/** Bytes have no byte order, so the message's big-endian flag means nothing in the encodings that are supported. */
async function unpack(image: RawImage, camera: RigCamera): Promise<Sharp> {
  const { layout, pixelBytes, at } = checkedLayout(image, camera);
  const { data, width, height, step, encoding } = image;
  const rgb =
    encoding === 'rgb8' && step === width * 3
      ? { data, width, height }
      : await nativeImages().unpack({ data, width, height, step, layout, pixelBytes, at });
  return sharp(rgb.data, { raw: { width: rgb.width, height: rgb.height, channels: 3 } });
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
