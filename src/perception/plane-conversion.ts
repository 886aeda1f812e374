import sharp from 'sharp';

import { bytesOfRows, fitted } from './image-fitting.js';
import type { InputTransform, NetworkInput } from './input-transform.js';
import type { RawLayout } from './raw-encodings.js';

type Plane = Uint8Array;
type YuvLayout = Extract<RawLayout, { kind: 'yuv422' | 'yuv420' }>;
type BayerLayout = Extract<RawLayout, { kind: 'bayer' }>;

interface RawPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly step: number;
}

/** Scaling and cropping as of a whole image: each plane is stretched over the same area, whatever its resolution. */
interface Target {
  readonly transform: InputTransform;
  readonly input: NetworkInput;
}

/**
 * RGB bytes of the network's input out of an image in YUV. Planes are separated and scaled on sharp's threads, in their own colours; only
 * the small result is converted here. Conversion and scaling are linear, so that is what the other order gives but for rounding and
 * for colours outside of RGB. BT.601 with the video range, as OpenCV and cv_bridge have it.
 */
export async function rgbFromYuv(layout: YuvLayout, pixels: RawPixels, target: Target): Promise<Uint8Array> {
  const [y, u, v] = await Promise.all(
    (layout.kind === 'yuv422' ? await planes422(layout, pixels) : await planes420(layout, pixels)).map(
      (plane) => fittedPlane(plane, target),
    ),
  );
  const rgb = new Uint8ClampedArray(y!.length * 3);
  for (let i = 0; i < y!.length; i++) {
    const luma = 1.164383 * (y![i]! - 16);
    const [cb, cr] = [u![i]! - 128, v![i]! - 128];
    rgb[3 * i] = luma + 1.596027 * cr;
    rgb[3 * i + 1] = luma - 0.391762 * cb - 0.812968 * cr;
    rgb[3 * i + 2] = luma + 2.017232 * cb;
  }
  return new Uint8Array(rgb.buffer);
}

/**
 * RGB bytes of the network's input out of a Bayer mosaic: each square of four is one pixel of half the resolution, its two greens averaged.
 * The network's input is mostly smaller than that. Colours are shifted against each other by up to one pixel of the mosaic.
 */
export async function rgbFromBayer(
  { pattern }: BayerLayout,
  { data, width, height, step }: RawPixels,
  target: Target,
): Promise<Uint8Array> {
  const half = { width: width / 2, height: height / 2 };
  // two rows after each other as one: the left half is the upper one
  const twoRows = { step: step * 2, rows: half.height, rowBytes: width };
  const rows = await Promise.all([0, step].map((left) => bytesOfRows(data, { ...twoRows, left })));
  const quarters = await Promise.all(
    rows.flatMap((row) => [0, 1].map((channel) => channelOf(row, half, 2, channel))),
  );
  const small = await Promise.all(quarters.map((bytes) => fittedPlane({ bytes, ...half }, target)));
  const of = (color: string): readonly Plane[] => small.filter((_, i) => pattern[i] === color);
  const [[red], [green, otherGreen], [blue]] = [of('r'), of('g'), of('b')];
  const rgb = new Uint8Array(red!.length * 3);
  for (let i = 0; i < red!.length; i++) {
    rgb[3 * i] = red![i]!;
    rgb[3 * i + 1] = (green![i]! + otherGreen![i]! + 1) >> 1;
    rgb[3 * i + 2] = blue![i]!;
  }
  return rgb;
}

interface SizedPlane {
  readonly bytes: Plane;
  readonly width: number;
  readonly height: number;
}

/** Y at full, U and V at half the width. */
async function planes422(
  { order }: Extract<YuvLayout, { kind: 'yuv422' }>,
  { data, width, height, step }: RawPixels,
): Promise<readonly SizedPlane[]> {
  const bytes = await bytesOfRows(data, { step, rows: height, left: 0, rowBytes: width * 2 });
  const half = { width: width / 2, height };
  // every other byte is brightness: the first or the second of each two
  const luma = channelOf(bytes, { width, height }, 2, order.indexOf('y0'));
  const [y, u, v] = await Promise.all([
    luma,
    ...['u', 'v'].map((name) => channelOf(bytes, half, 4, order.indexOf(name))),
  ]);
  return [
    { bytes: y, width, height },
    { bytes: u!, ...half },
    { bytes: v!, ...half },
  ];
}

/** Y at full, U and V at half the width and height. */
async function planes420(
  { order }: Extract<YuvLayout, { kind: 'yuv420' }>,
  { data, width, height, step }: RawPixels,
): Promise<readonly SizedPlane[]> {
  const half = { width: width / 2, height: height / 2 };
  const colorRows = { step, rows: half.height, left: 0, rowBytes: width };
  const [y, colors] = await Promise.all([
    bytesOfRows(data.subarray(0, step * height), { step, rows: height, left: 0, rowBytes: width }),
    bytesOfRows(data.subarray(step * height), colorRows),
  ]);
  const [first, second] = await Promise.all([0, 1].map((channel) => channelOf(colors, half, 2, channel)));
  const [u, v] = order[0] === 'u' ? [first, second] : [second, first];
  return [
    { bytes: y, width, height },
    { bytes: u!, ...half },
    { bytes: v!, ...half },
  ];
}

/** In a pass of its own: a resize would take the last of two or four channels for alpha and weigh the others by it. */
function channelOf(
  data: Uint8Array,
  size: { readonly width: number; readonly height: number },
  channels: 2 | 4,
  channel: number,
): Promise<Plane> {
  const plane = sharp(data, { raw: { ...size, channels } }).extractChannel(channel as 0 | 1 | 2 | 3);
  // two channels would come out as three colours; four would be made grey before the channel is taken
  return (channels === 2 ? plane.toColourspace('b-w') : plane).raw().toBuffer();
}

function fittedPlane({ bytes, width, height }: SizedPlane, { transform, input }: Target): Promise<Plane> {
  return fitted(sharp(bytes, { raw: { width, height, channels: 1 } }), transform, input)
    .toColourspace('b-w')
    .raw()
    .toBuffer();
}
