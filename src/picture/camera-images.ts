import sharp from 'sharp';
import type { OverlayOptions } from 'sharp';

import { BdcError } from '../errors.js';
import { prepareImage } from '../perception/image-preparation.js';
import type { RigCamera } from '../perception/types.js';
import { boxesInImage } from './box-lines.js';
import { svgDocument, svgText } from './svg.js';
import { css, MUTED_TEXT, UNKNOWN } from './theme.js';
import type { PictureOptions } from './types.js';

const GAP = 8;

/** Size of the block of camera images. */
export interface ImageBlock {
  readonly height: number;
  readonly overlays: readonly OverlayOptions[];
}

/**
 * The camera images as one stands among them: those that look forward in the upper row, the others below, left and right as on the car.
 *
 * @param left, top of the block in the picture
 */
export async function cameraImages(
  options: Pick<PictureOptions, 'rig' | 'frame' | 'imageBoxes'>,
  { left, top, width }: { readonly left: number; readonly top: number; readonly width: number },
): Promise<ImageBlock> {
  const rows = arrange(options.rig.cameras).filter((row) => row.length > 0);
  const columns = Math.max(...rows.map((row) => row.length));
  const tileWidth = Math.floor((width - GAP * (columns - 1)) / columns);
  const { model } = options.rig.cameras[0]!;
  const tileHeight = Math.round((tileWidth * model.height) / model.width);
  const overlays = await Promise.all(
    rows.flatMap((row, r) => {
      const indent = (width - row.length * tileWidth - GAP * (row.length - 1)) / 2;
      return row.map(async (camera, c) => ({
        input: await tile(options, camera, tileWidth, tileHeight),
        left: Math.round(left + indent + c * (tileWidth + GAP)),
        top: top + r * (tileHeight + GAP),
      }));
    }),
  );
  return { height: rows.length * (tileHeight + GAP) - GAP, overlays };
}

/** Two rows, each from left to right as one looks into them. */
function arrange(cameras: readonly RigCamera[]): readonly (readonly RigCamera[])[] {
  const headed = cameras.map((camera) => {
    const [x, y] = camera.baseFromCamera.rotate([0, 0, 1]);
    return { camera, yaw: Math.atan2(y, x) };
  });
  const isForward = ({ yaw }: { readonly yaw: number }): boolean => Math.abs(yaw) <= Math.PI / 2;
  const fullTurn = (yaw: number): number => (yaw + 2 * Math.PI) % (2 * Math.PI);
  return [
    headed.filter(isForward).sort((a, b) => b.yaw - a.yaw),
    headed.filter((entry) => !isForward(entry)).sort((a, b) => fullTurn(a.yaw) - fullTurn(b.yaw)),
  ].map((row) => row.map(({ camera }) => camera));
}

/** One camera's image as PNG, with boxes and the camera's name. */
async function tile(
  { rig, frame, imageBoxes }: Pick<PictureOptions, 'rig' | 'frame' | 'imageBoxes'>,
  camera: RigCamera,
  width: number,
  height: number,
): Promise<Buffer> {
  const image = frame.images[rig.cameras.indexOf(camera)];
  const data = image && (await prepared(image, camera, { width, height }));
  const base =
    data === undefined
      ? sharp({ create: { width, height, channels: 3, background: css(UNKNOWN) } })
      : sharp(data, { raw: { width, height, channels: 3 } });
  const labelWidth = 12 + camera.name.length * 8;
  const overlay = svgDocument(width, height, [
    ...(data === undefined
      ? [svgText('no image', width / 2, height / 2, { size: 16, color: MUTED_TEXT, anchor: 'middle' })]
      : boxesInImage(imageBoxes, camera, { width, height })),
    `<rect x="6" y="6" width="${labelWidth}" height="20" rx="4" fill="#0b0d10" fill-opacity="0.65"/>`,
    svgText(camera.name, 6 + labelWidth / 2, 20, { size: 12, anchor: 'middle' }),
  ]);
  return base
    .composite([{ input: overlay }])
    .png()
    .toBuffer();
}

/** Undefined for an image that cannot be used: that is for others to report. */
async function prepared(...args: Parameters<typeof prepareImage>): Promise<Uint8Array | undefined> {
  try {
    return await prepareImage(...args);
  } catch (error) {
    if (error instanceof BdcError) return undefined;
    throw error;
  }
}
