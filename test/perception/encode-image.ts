type Rgb = readonly [number, number, number];

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** RGB bytes, row by row. */
  readonly data: Uint8Array;
}

/** Colours that change slowly, so that halving them in width and height loses little. */
export function smoothPicture(width: number, height: number): Picture {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return [60 + (120 * x) / width, 90 + (100 * y) / height, 160 - (80 * x) / width][i % 3]!;
  });
  return { width, height, data };
}

/** BT.601, video range (ITU-R BT.601-7, 2.5.3). */
function yuvOf([r, g, b]: Rgb): { readonly y: number; readonly u: number; readonly v: number } {
  const clamp = (value: number): number => Math.max(0, Math.min(255, Math.round(value)));
  return {
    y: clamp(16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255),
    u: clamp(128 + (-37.797 * r - 74.203 * g + 112 * b) / 255),
    v: clamp(128 + (112 * r - 93.786 * g - 18.214 * b) / 255),
  };
}

function pixelOf({ width, data }: Picture, x: number, y: number): Rgb {
  const at = (y * width + x) * 3;
  return [data[at]!, data[at + 1]!, data[at + 2]!];
}

/** The bytes of a picture in a ROS encoding, written down pixel by pixel as the encoding is defined, with padded rows. */
export function encoded(
  picture: Picture,
  encoding: string,
  padding = 0,
): { readonly step: number; readonly data: Uint8Array } {
  const { width, height } = picture;
  const at = (x: number, y: number): Rgb => pixelOf(picture, x, y);
  const rows = (count: number, row: (y: number) => readonly number[]): readonly (readonly number[])[] =>
    Array.from({ length: count }, (_, y) => row(y));
  const columns = (row: (x: number) => readonly number[], step = 1): readonly number[] =>
    Array.from({ length: width / step }, (_, x) => row(x * step)).flat();
  const pair = (x: number, y: number) => {
    const [left, right] = [yuvOf(at(x, y)), yuvOf(at(x + 1, y))];
    return { y0: left.y, y1: right.y, u: (left.u + right.u) >> 1, v: (left.v + right.v) >> 1 };
  };
  const colors420 = (y: number, order: readonly ('u' | 'v')[]): readonly number[] =>
    columns((x) => {
      const [upper, lower] = [pair(x, y), pair(x, y + 1)];
      return order.map((name) => (upper[name] + lower[name]) >> 1);
    }, 2);
  const bayer = (pattern: string) =>
    rows(height, (y) => columns((x) => [at(x, y)['rgb'.indexOf(pattern[(y % 2) * 2 + (x % 2)]!)]!]));
  const lines = ((): readonly (readonly number[])[] => {
    switch (encoding) {
      case 'rgb8':
        return rows(height, (y) => columns((x) => at(x, y)));
      case 'bgr8':
        return rows(height, (y) => columns((x) => [...at(x, y)].reverse()));
      case 'rgba8':
        return rows(height, (y) => columns((x) => [...at(x, y), 0]));
      case 'bgra8':
        return rows(height, (y) => columns((x) => [...[...at(x, y)].reverse(), 0]));
      case 'uyvy':
      case 'yuv422':
        return rows(height, (y) => columns((x) => (({ y0, y1, u, v }) => [u, y0, v, y1])(pair(x, y)), 2));
      case 'yuyv':
      case 'yuv422_yuy2':
        return rows(height, (y) => columns((x) => (({ y0, y1, u, v }) => [y0, u, y1, v])(pair(x, y)), 2));
      case 'nv12':
      case 'nv21': {
        const order = encoding === 'nv12' ? (['u', 'v'] as const) : (['v', 'u'] as const);
        return [
          ...rows(height, (y) => columns((x) => [yuvOf(at(x, y)).y])),
          ...rows(height / 2, (y) => colors420(y * 2, order)),
        ];
      }
      case 'bayer_rggb8':
      case 'bayer_bggr8':
      case 'bayer_gbrg8':
      case 'bayer_grbg8':
        return bayer(encoding.slice('bayer_'.length, -1));
      default:
        throw new RangeError(`the test cannot write ${encoding}`);
    }
  })();
  const padded = lines.map((line) => [...line, ...new Array<number>(padding).fill(255)]);
  return { step: padded[0]!.length, data: Uint8Array.from(padded.flat()) };
}
