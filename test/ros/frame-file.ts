import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { shippedModel } from '../../src/engine/shipped-model.js';
import { BdcError } from '../../src/errors.js';
import { RigidTransform } from '../../src/geometry/rigid-transform.js';

const realFrame = fileURLToPath(new URL('../../../shared/data/nuscenes_frame/frame.json', import.meta.url));
const goldenModel = fileURLToPath(
  new URL('../fixtures/golden/network-six-cameras/model.safetensors', import.meta.url),
);

/** The real frame where it is at hand, else made-up pictures of the same six cameras in a frame file of the same layout. */
export async function frameFile(folder: string): Promise<string> {
  return existsSync(realFrame) ? realFrame : writeMadeUpFrame(folder);
}

/** The model that is shipped, else a small network with random weights: what is tested does not depend on what it has learned. */
export function modelFile(): string {
  try {
    return shippedModel();
  } catch (error) {
    if (error instanceof BdcError && error.code === 'MODEL_NOT_NAMED') return goldenModel;
    throw error;
  }
}

const WIDTH = 320;
const HEIGHT = 180;
/** Names as in nuScenes, and degrees to the left of straight ahead. */
const YAWS = {
  CAM_FRONT: 0,
  CAM_FRONT_LEFT: 55,
  CAM_FRONT_RIGHT: -55,
  CAM_BACK: 180,
  CAM_BACK_LEFT: 110,
  CAM_BACK_RIGHT: -110,
};

async function writeMadeUpFrame(folder: string): Promise<string> {
  const optical = RigidTransform.fromMatrix([0, 0, 1, -1, 0, 0, 0, -1, 0], [0, 0, 0]);
  const timestamp = 1_700_000_000.25;
  const cameras: Record<string, object> = {};
  for (const [index, [name, degrees]] of Object.entries(YAWS).entries()) {
    const pixels = Uint8Array.from(
      { length: WIDTH * HEIGHT * 3 },
      (_, i) => (i * (index + 3) + (i >> 7) * 11) & 255,
    );
    const file = `${name}.jpg`;
    await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .jpeg()
      .toFile(path.join(folder, file));
    const { matrix: m, translation: t } = RigidTransform.fromYaw(
      (degrees * Math.PI) / 180,
      [0, 0, 1.5],
    ).compose(optical);
    cameras[name] = {
      file,
      width: WIDTH,
      height: HEIGHT,
      timestamp: timestamp + index * 0.005,
      K: [
        [250, 0, WIDTH / 2],
        [0, 250, HEIGHT / 2],
        [0, 0, 1],
      ],
      cam2ego: [
        [m[0], m[1], m[2], t[0]],
        [m[3], m[4], m[5], t[1]],
        [m[6], m[7], m[8], t[2]],
        [0, 0, 0, 1],
      ],
    };
  }
  const file = path.join(folder, 'frame.json');
  writeFileSync(file, JSON.stringify({ timestamp, cameras }));
  return file;
}
