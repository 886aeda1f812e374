import type { ModelManifest } from '../engine/manifest.js';
import type { Pixel } from '../geometry/camera-model.js';

export type NetworkInput = Pick<ModelManifest['input'], 'width' | 'height'>;

/**
 * How a camera image becomes a network input (docs/model-format.md): scaled until it covers the input, then cropped left and right
 * equally and at the top. Resizing maps edges onto edges, and a pixel's centre, which its whole coordinates name, lies half a pixel from
 * its edge: `u_input = scaleX · (u_image + ½) − ½ − cropX`, likewise v. Training uses the same rule (bdc_training/images.py).
 */
export class InputTransform {
  /** Pixels of the resized image to one of the camera's. */
  readonly scaleX: number;
  readonly scaleY: number;
  /** Size of the scaled image before the crop, in pixels. */
  readonly resizedWidth: number;
  readonly resizedHeight: number;
  /** Offset of the crop in the scaled image, in pixels. */
  readonly cropX: number;
  readonly cropY: number;

  constructor(image: { readonly width: number; readonly height: number }, input: NetworkInput) {
    const scale = Math.max(input.width / image.width, input.height / image.height);
    this.resizedWidth = Math.max(input.width, Math.round(scale * image.width));
    this.resizedHeight = Math.max(input.height, Math.round(scale * image.height));
    this.scaleX = this.resizedWidth / image.width;
    this.scaleY = this.resizedHeight / image.height;
    this.cropX = Math.floor((this.resizedWidth - input.width) / 2);
    this.cropY = this.resizedHeight - input.height;
  }

  /** Where the image's pixel (0, 0) comes to lie in the input, in pixels. */
  get offset(): Pixel {
    return [(this.scaleX - 1) / 2 - this.cropX, (this.scaleY - 1) / 2 - this.cropY];
  }

  toInput([u, v]: Pixel): Pixel {
    const [x, y] = this.offset;
    return [this.scaleX * u + x, this.scaleY * v + y];
  }

  toImage([u, v]: Pixel): Pixel {
    const [x, y] = this.offset;
    return [(u - x) / this.scaleX, (v - y) / this.scaleY];
  }
}
