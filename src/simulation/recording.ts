import sharp from 'sharp';
import type { RigidTransform } from '../geometry/rigid-transform.js';
import { capture } from './capture.js';
import type { Capture } from './capture.js';
import { Random } from './random.js';
import { buildRig } from './rig.js';
import type { ImageSize, SimulatedRig } from './rig.js';
import type { RigName } from './rig-plans.js';
import { generateStreet } from './street.js';
import { egoPose } from './world.js';
import type { World } from './world.js';

export interface RecordingOptions {
  readonly seed: number;
  readonly index: number;
  /** Default: nuscenes. */
  readonly rig?: RigName;
  readonly imageSize: ImageSize;
  readonly samplesPerPixel: number;
}

/** One scene of the simulation: its world and rig; captures follow one another in time. */
export class Recording {
  readonly world: World;
  readonly rig: SimulatedRig;
  readonly #noise: Random;
  readonly #samplesPerPixel: number;

  constructor({ seed, index, rig = 'nuscenes', imageSize, samplesPerPixel }: RecordingOptions) {
    this.world = generateStreet(seed, index);
    // Their own sequences, so that a change of the world leaves rig and noise as they were.
    this.rig = buildRig(rig, new Random(seed, index).fork('rig'), imageSize);
    this.#noise = new Random(seed, index).fork('noise');
    this.#samplesPerPixel = samplesPerPixel;
  }

  /** The ego vehicle's pose at time 0, world frame. */
  get start(): RigidTransform {
    return egoPose(this.world, this.rig, 0);
  }

  /** What the sensors see at `time` seconds. Call it in the order of time: the noise goes on from call to call. */
  capture(time: number): Promise<Capture> {
    return capture(this.world, this.rig, time, {
      samplesPerPixel: this.#samplesPerPixel,
      noise: this.#noise,
    });
  }
}

/** JPEG, quality 92, encoded on libuv's threads. */
export function encodeJpeg(rgb: Uint8Array, { width, height }: ImageSize): Promise<Buffer> {
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 92 })
    .toBuffer();
}
