/** Where an encoding keeps what of a pixel; names as in sensor_msgs/image_encodings.hpp. */
export type RawLayout =
  /** Interleaved channels of one byte. */
  | { readonly kind: 'packed'; readonly channels: 1 | 3 | 4; readonly isBgr: boolean }
  /** Four bytes for two pixels that share their colour; `order` says which is where. */
  | { readonly kind: 'yuv422'; readonly order: readonly ['y0' | 'u' | 'v' | 'y1', string, string, string] }
  /** A plane of brightness, then one of colour at half the resolution; `order` is that of its two bytes. */
  | { readonly kind: 'yuv420'; readonly order: readonly ['u', 'v'] | readonly ['v', 'u'] }
  /** One colour a pixel, in squares of four: top left, top right, bottom left, bottom right. */
  | { readonly kind: 'bayer'; readonly pattern: readonly ['r' | 'g' | 'b', string, string, string] };

const packed = (channels: 1 | 3 | 4, isBgr = false): RawLayout => ({ kind: 'packed', channels, isBgr });
const UYVY: RawLayout = { kind: 'yuv422', order: ['u', 'y0', 'v', 'y1'] };
const YUYV: RawLayout = { kind: 'yuv422', order: ['y0', 'u', 'y1', 'v'] };

export const RAW_ENCODINGS: ReadonlyMap<string, RawLayout> = new Map([
  ['rgb8', packed(3)],
  ['bgr8', packed(3, true)],
  ['rgba8', packed(4)],
  ['bgra8', packed(4, true)],
  ['mono8', packed(1)],
  ['8UC1', packed(1)],
  ['uyvy', UYVY],
  ['yuv422', UYVY],
  ['yuyv', YUYV],
  ['yuv422_yuy2', YUYV],
  ['nv12', { kind: 'yuv420', order: ['u', 'v'] }],
  ['nv21', { kind: 'yuv420', order: ['v', 'u'] }],
  ['bayer_rggb8', { kind: 'bayer', pattern: ['r', 'g', 'g', 'b'] }],
  ['bayer_bggr8', { kind: 'bayer', pattern: ['b', 'g', 'g', 'r'] }],
  ['bayer_gbrg8', { kind: 'bayer', pattern: ['g', 'b', 'r', 'g'] }],
  ['bayer_grbg8', { kind: 'bayer', pattern: ['g', 'r', 'b', 'g'] }],
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

export function rawShape(layout: RawLayout, width: number, height: number): RawShape {
  switch (layout.kind) {
    case 'packed':
      return { rowBytes: width * layout.channels, rows: height, isEven: false };
    case 'yuv422':
      return { rowBytes: width * 2, rows: height, isEven: true };
    case 'yuv420':
      return { rowBytes: width, rows: (height * 3) / 2, isEven: true };
    case 'bayer':
      return { rowBytes: width, rows: height, isEven: true };
  }
}

/** Whether an encoding's name says that a channel has more than eight bits, as `mono16`, `bayer_rggb16` or `32FC1`. */
export const isDeepEncoding = (encoding: string): boolean =>
  /(10|12|14|16|32|64)([SUF]C\d+|le|be|p)?$/i.test(encoding);
