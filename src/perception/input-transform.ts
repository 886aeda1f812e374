import type { ModelManifest } from '../engine/manifest.js';
import type { Pixel } from '../geometry/camera-model.js';

export type NetworkInput = Pick<ModelManifest['input'], 'width' | 'height'>;

/**
 * How a camera image becomes a network input (docs/model-format.md): scaled until it covers the input, then cropped left and right
 * equally and at the top. Pixels map as in BEVDet, `u_input = scale · u_image − cropX`, `v_input = scale · v_image − cropY`: without the
 * half pixel that a resize adds, since the network is trained with this rule.
 */
export class InputTransform {
  readonly scale: number;
  /** Size of the scaled image before the crop, in pixels. */
  readonly resizedWidth: number;
  readonly resizedHeight: number;
  /** Offset of the crop in the scaled image, in pixels. */
  readonly cropX: number;
  readonly cropY: number;

  constructor(image: { readonly width: number; readonly height: number }, input: NetworkInput) {
    this.scale = Math.max(input.width / image.width, input.height / image.height);
    this.resizedWidth = Math.max(input.width, Math.round(this.scale * image.width));
    this.resizedHeight = Math.max(input.height, Math.round(this.scale * image.height));
    this.cropX = Math.floor((this.resizedWidth - input.width) / 2);
    this.cropY = this.resizedHeight - input.height;
  }

  toInput([u, v]: Pixel): Pixel {
    return [this.scale * u - this.cropX, this.scale * v - this.cropY];
  }

  toImage([u, v]: Pixel): Pixel {
    return [(u + this.cropX) / this.scale, (v + this.cropY) / this.scale];
  }
}
