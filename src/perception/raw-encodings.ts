import type { NativeRawImage } from '../engine/native.js';

/** How the bytes of an encoding make colours. */
export interface RawLayout extends Pick<NativeRawImage, 'layout' | 'at'> {
  /** Bytes of a pixel in the first plane. */
  readonly pixelBytes: number;
}

const packed = (pixelBytes: 1 | 3 | 4, ...at: readonly number[]): RawLayout => ({
  layout: 'packed',
  pixelBytes,
  at,
});
const yuv422 = (...at: readonly number[]): RawLayout => ({ layout: 'yuv422', pixelBytes: 2, at });
const yuv420 = (...at: readonly number[]): RawLayout => ({ layout: 'yuv420', pixelBytes: 1, at });
const bayer = (...at: readonly number[]): RawLayout => ({ layout: 'bayer', pixelBytes: 1, at });

/** By name, as in sensor_msgs/image_encodings.hpp; `at` as in native/images/unpack.h. */
export const RAW_ENCODINGS: ReadonlyMap<string, RawLayout> = new Map([
  // red, green, blue in a pixel
  ['rgb8', packed(3, 0, 1, 2)],
  ['bgr8', packed(3, 2, 1, 0)],
  ['rgba8', packed(4, 0, 1, 2)],
  ['bgra8', packed(4, 2, 1, 0)],
  ['mono8', packed(1, 0, 0, 0)],
  ['8UC1', packed(1, 0, 0, 0)],
  // first Y, U, second Y, V in two pixels
  ['uyvy', yuv422(1, 0, 3, 2)],
  ['yuv422', yuv422(1, 0, 3, 2)],
  ['yuyv', yuv422(0, 1, 2, 3)],
  ['yuv422_yuy2', yuv422(0, 1, 2, 3)],
  // U, V in the second plane
  ['nv12', yuv420(0, 1)],
  ['nv21', yuv420(1, 0)],
  // red, blue in a square of four
  ['bayer_rggb8', bayer(0, 3)],
  ['bayer_bggr8', bayer(3, 0)],
  ['bayer_gbrg8', bayer(2, 1)],
  ['bayer_grbg8', bayer(1, 2)],
]);

/** What a raw image of a layout must look like. */
export interface RawShape {
  /** Bytes of a row without padding. */
  readonly rowBytes: number;
  /** Rows of `step` bytes, all planes together. */
  readonly rows: number;
  /** Width and height must be even: pixels share their colour with a neighbour. */
  readonly isEven: boolean;
}

export const rawShape = ({ layout, pixelBytes }: RawLayout, width: number, height: number): RawShape => ({
  rowBytes: width * pixelBytes,
  rows: layout === 'yuv420' ? (height * 3) / 2 : height,
  isEven: layout !== 'packed',
});

/** Whether an encoding's name says that a channel has more than eight bits, as `mono16`, `bayer_rggb16` or `32FC1`. */
export const isDeepEncoding = (encoding: string): boolean =>
  /(10|12|14|16|32|64)([SUF]C\d+|le|be|p)?$/i.test(encoding);
