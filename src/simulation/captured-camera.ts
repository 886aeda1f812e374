import type { RenderedImage } from './native.js';
import type { SimulatedCamera } from './rig.js';

export interface CapturedCamera {
  readonly camera: SimulatedCamera;
  readonly image: RenderedImage;
}
