import type { TrainedView } from '../engine/manifest.js';
import { isInside } from '../geometry/camera-model.js';
import type { NetworkInput } from './input-transform.js';
import type { NetworkView } from './network-views.js';
import { intrinsicsOf, levelMount } from './trained-views.js';
import type { CameraRig, RigCamera } from './types.js';
import { VirtualCamera } from './virtual-camera.js';

const DEGREES = 360;
const RADIANS = Math.PI / 180;
/** Elevations at which a direction counts as seen, degrees: cameras on small robots may look down. */
const ELEVATIONS = [0, -10, -20];
/** Cameras that see so much of what the one sees that sees most of it are as good as that one. */
const NEARLY_ALL = 0.98;
/** Below so many metres above the base frame a camera isn't above a ground that this frame lies on. */
const LOWEST_CAMERA = 0.1;

/**
 * Virtual cameras that together see what a rig's cameras see around the vehicle, each as the network was trained: level, with that
 * focal length and horizon. Where what two real cameras see meets, a degree or two may be missing. Each looks through one real camera: of those that see most of its image the one that looks nearest that way.
 *
 * With `correctDepth` depths are corrected for the height h of the camera above the ground. A network tells the depth of a pixel by how far
 * below the horizon things meet the ground, which at another height than the trained h₀ is off by h / h₀, and by how large they are,
 * which isn't (van Dijk and de Croon, "How do neural networks see depth in single images?", ICCV 2019): here √(h / h₀), the geometric
 * mean of both, which was the best of several exponents on two rigs (docs/accuracy.md).
 */
export function virtualViews(
  rig: CameraRig,
  input: NetworkInput,
  trained: TrainedView,
  correctDepth: boolean,
): readonly NetworkView[] {
  const intrinsics = intrinsicsOf(trained, input);
  const fieldOfView = (2 * Math.atan(input.width / 2 / intrinsics.fx)) / RADIANS;
  return headings(seenDirections(rig), fieldOfView).map((heading): NetworkView => {
    const candidates = rig.cameras.map((real, source) => {
      const baseFromCamera = levelMount(heading * RADIANS, real.baseFromCamera.translation);
      const sourceFromVirtual = real.baseFromCamera.inverse().compose(baseFromCamera);
      const model = new VirtualCamera(intrinsics, real.model, sourceFromVirtual);
      const [, , along] = sourceFromVirtual.rotate([0, 0, 1]);
      return { source, camera: { name: real.name, model, baseFromCamera }, share: shareSeen(model), along };
    });
    const most = Math.max(...candidates.map(({ share }) => share));
    const { source, camera } = candidates
      .filter(({ share }) => share >= NEARLY_ALL * most)
      .reduce((best, other) => (other.along > best.along ? other : best));
    const height = camera.baseFromCamera.translation[2];
    const isCorrected = correctDepth && height >= LOWEST_CAMERA;
    return { source, camera, depthScale: isCorrected ? Math.sqrt(height / trained.height) : 1 };
  });
}

/** Whether a camera sees each whole degree about +z from +x. */
function seenDirections({ cameras }: CameraRig): readonly boolean[] {
  return Array.from({ length: DEGREES }, (_, degree) =>
    cameras.some((camera) => sees(camera, degree * RADIANS)),
  );
}

function sees({ model, baseFromCamera }: RigCamera, azimuth: number): boolean {
  const cameraFromBase = baseFromCamera.inverse();
  return ELEVATIONS.some((degrees) => {
    const [along, up] = [Math.cos(degrees * RADIANS), Math.sin(degrees * RADIANS)];
    const direction = [along * Math.cos(azimuth), along * Math.sin(azimuth), up] as const;
    const pixel = model.project(cameraFromBase.rotate(direction));
    return pixel !== undefined && isInside(pixel, model);
  });
}

/** Headings, in degrees, of as few views of `fieldOfView` degrees as cover all that is seen; even in each stretch of it. */
function headings(seen: readonly boolean[], fieldOfView: number): readonly number[] {
  if (seen.every(Boolean)) {
    const count = Math.ceil(DEGREES / fieldOfView);
    return Array.from({ length: count }, (_, i) => (i * DEGREES) / count);
  }
  return stretches(seen).flatMap(({ from, length }) => {
    const count = Math.ceil(length / fieldOfView);
    if (count === 1) return [from + length / 2];
    const step = (length - fieldOfView) / (count - 1);
    return Array.from({ length: count }, (_, i) => from + fieldOfView / 2 + i * step);
  });
}

/** The stretches of directions that are seen, in degrees; one that goes through 0° is one. */
function stretches(seen: readonly boolean[]): readonly { readonly from: number; readonly length: number }[] {
  const isSeen = (degree: number): boolean => seen[(degree + DEGREES) % DEGREES]!;
  return seen.flatMap((_, from) => {
    if (!isSeen(from) || isSeen(from - 1)) return [];
    let length = 0;
    while (isSeen(from + length)) length++;
    return [{ from, length }];
  });
}

/** Of a raster of its pixels, the share that the real camera sees. */
function shareSeen(camera: VirtualCamera): number {
  const [columns, rows] = [22, 8];
  let seen = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const pixel = [
        ((column + 0.5) / columns) * camera.width,
        ((row + 0.5) / rows) * camera.height,
      ] as const;
      if (camera.sourcePixel(pixel) !== undefined) seen++;
    }
  }
  return seen / (rows * columns);
}
