import type { ModelManifest } from '../engine/manifest.js';
import { nativeImages } from '../engine/native.js';
import { decodeImage, prepareImage, type PreparationOptions } from './image-preparation.js';
import type { NetworkView } from './network-views.js';
import { TimeSlices } from './time-slices.js';
import type { CameraImage, CameraRig, RigCamera } from './types.js';
import { VirtualCamera } from './virtual-camera.js';

type Input = Pick<ModelManifest['input'], 'width' | 'height' | 'mean'>;

/** Makes the network's images of one camera's. */
export interface ViewImages {
  /** Indices of the views that look through the camera. */
  readonly views: readonly number[];
  /**
   * For each of them RGB bytes `[height, width, 3]` of the network's input; a camera without views is not looked at.
   *
   * @throws BdcError as `prepareImage`
   */
  make(image: CameraImage): Promise<readonly Uint8Array[]>;
}

/** By camera of the rig. */
export async function viewImages(
  rig: CameraRig,
  views: readonly NetworkView[],
  input: Input,
  options: PreparationOptions = {},
): Promise<readonly ViewImages[]> {
  const slices = new TimeSlices();
  const images: ViewImages[] = [];
  for (const [source, camera] of rig.cameras.entries()) {
    const own = views.flatMap((view, index) => (view.source === source ? [{ index, view }] : []));
    const virtual = own
      .map(({ view }) => view.camera.model)
      .filter((model) => model instanceof VirtualCamera);
    const make =
      virtual.length > 0
        ? await virtualImages(camera, virtual, input, options, slices)
        : realImages(camera, own.length, input, options);
    images.push({ views: own.map(({ index }) => index), make });
  }
  return images;
}

const realImages =
  (camera: RigCamera, count: number, input: Input, options: PreparationOptions): ViewImages['make'] =>
  async (image) =>
    count === 0 ? [] : [await prepareImage(image, camera, input, options)];

/** The whole image is decoded once, shrunk to the virtual images' resolution where it has more, and sampled for each of them. */
async function virtualImages(
  camera: RigCamera,
  virtual: readonly VirtualCamera[],
  input: Input,
  options: PreparationOptions,
  slices: TimeSlices,
): Promise<ViewImages['make']> {
  const { model } = camera;
  const shrink = Math.max(1, Math.min(...virtual.map(sourcePixelsPerPixel)));
  const size = { width: Math.round(model.width / shrink), height: Math.round(model.height / shrink) };
  const [scaleX, scaleY] = [size.width / model.width, size.height / model.height];
  const places: Float32Array[] = [];
  for (const view of virtual) places.push(await sourcePlaces(view, scaleX, scaleY, slices));
  // what the network takes for nothing: zero after normalisation
  const fill = input.mean.map(Math.round);
  return async (image) => {
    const decoded = await decodeImage(image, camera, size, options);
    return Promise.all(places.map((at) => nativeImages().remap(decoded, at, fill)));
  };
}

/** Pixels of the real image to one of the virtual one, at its middle or, where that isn't seen, 1. */
function sourcePixelsPerPixel(view: VirtualCamera): number {
  const [u, v] = [Math.floor(view.width / 2), Math.floor(view.height / 2)];
  const [left, right] = [view.sourcePixel([u - 0.5, v]), view.sourcePixel([u + 0.5, v])];
  return left && right ? Math.hypot(right[0] - left[0], right[1] - left[1]) : 1;
}

/** x, y of each of the view's pixels in the real image scaled by that much, NaN where it isn't in it: `remap`'s places. */
async function sourcePlaces(
  view: VirtualCamera,
  scaleX: number,
  scaleY: number,
  slices: TimeSlices,
): Promise<Float32Array> {
  const places = new Float32Array(view.width * view.height * 2).fill(NaN);
  for (let v = 0; v < view.height; v++) {
    await slices.next();
    for (let u = 0; u < view.width; u++) {
      const pixel = view.sourcePixel([u, v]);
      if (pixel === undefined) continue;
      const at = [scaleX * (pixel[0] + 0.5) - 0.5, scaleY * (pixel[1] + 0.5) - 0.5];
      places.set(at, (v * view.width + u) * 2);
    }
  }
  return places;
}
