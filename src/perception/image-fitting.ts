import sharp from 'sharp';
import type { Sharp } from 'sharp';

import type { NetworkInput, InputTransform } from './input-transform.js';

/** An image, or one plane of it, scaled and cropped to the network's input. */
export function fitted(pixels: Sharp, transform: InputTransform, input: NetworkInput): Sharp {
  const { resizedWidth, resizedHeight, cropX, cropY } = transform;
  return (
    pixels
      // `linear` is the triangle filter, widened by the scale when shrinking. Beyond the border libvips repeats the outermost pixel
      // where Pillow leaves it out: the outermost pixels may differ from training by a few grey levels.
      .resize(resizedWidth, resizedHeight, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
      .extract({ left: cropX, top: cropY, width: input.width, height: input.height })
  );
}

/** The left `rowBytes` of each row of single bytes, from byte `left` on, cut out on sharp's threads. */
export async function bytesOfRows(
  data: Uint8Array,
  { step, rows, left, rowBytes }: Record<'step' | 'rows' | 'left' | 'rowBytes', number>,
): Promise<Uint8Array> {
  if (step === rowBytes) return data;
  return sharp(data, { raw: { width: step, height: rows, channels: 1 } })
    .extract({ left, top: 0, width: rowBytes, height: rows })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
}
