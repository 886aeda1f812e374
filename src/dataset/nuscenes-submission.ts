import { RigidTransform, type Vector3 } from '../geometry/rigid-transform.js';
import type { Detection } from '../perception/types.js';
import { AtomicFile } from '../atomic-file.js';
import type { QuaternionWxyz, Token } from './nuscenes-tables.js';
import type { DetectionClass } from './occ3d.js';

/** A box of a nuScenes detection submission: global frame, metres, m/s. */
export interface SubmissionBox {
  readonly sample_token: Token;
  /** Centre. */
  readonly translation: Vector3;
  /** Width, length, height. */
  readonly size: Vector3;
  readonly rotation: QuaternionWxyz;
  readonly velocity: readonly [number, number];
  readonly detection_name: DetectionClass;
  readonly detection_score: number;
  readonly attribute_name: string;
}

/** More boxes a sample are not allowed; the best are kept. */
const MAX_BOXES = 500;
/** m/s from which on an object is said to move. */
const MOVING = 0.2;

/**
 * What a network found in one sample, as nuScenes takes it.
 * @param names of the model's detection classes, by label
 */
export function submissionBoxes(
  token: Token,
  detections: readonly Detection[],
  names: readonly DetectionClass[],
  globalFromBase: RigidTransform,
): readonly SubmissionBox[] {
  return [...detections]
    .sort((a, b) => b.score - a.score)
    .slice(0, MAX_BOXES)
    .map(({ label, score, position, size: [length, width, height], yaw, velocity }) => {
      const globalFromBox = globalFromBase.compose(RigidTransform.fromYaw(yaw, position));
      const [x, y, z, w] = globalFromBox.rotation;
      const [vx, vy] = globalFromBase.rotate([...velocity, 0]);
      const name = names[label]!;
      return {
        sample_token: token,
        translation: globalFromBox.translation,
        size: [width, length, height],
        rotation: [w, x, y, z],
        velocity: [vx, vy],
        detection_name: name,
        detection_score: score,
        attribute_name: attributeOf(name, Math.hypot(vx, vy)),
      };
    });
}

/** The network does not predict attributes: they are guessed from class and speed. */
function attributeOf(name: DetectionClass, speed: number): string {
  const moves = speed > MOVING;
  switch (name) {
    case 'barrier':
    case 'traffic_cone':
      return '';
    case 'pedestrian':
      return moves ? 'pedestrian.moving' : 'pedestrian.standing';
    case 'bicycle':
    case 'motorcycle':
      return moves ? 'cycle.with_rider' : 'cycle.without_rider';
    case 'bus':
      return moves ? 'vehicle.moving' : 'vehicle.stopped';
    case 'car':
    case 'truck':
    case 'trailer':
    case 'construction_vehicle':
      return moves ? 'vehicle.moving' : 'vehicle.parked';
  }
}

/** Writes `results_nusc.json` sample by sample; the file appears when it is complete. */
export class SubmissionWriter {
  readonly #file: AtomicFile;
  #separator = '\n';

  private constructor(file: AtomicFile) {
    this.#file = file;
  }

  /** @throws BdcError `OUTPUT_NOT_WRITABLE` */
  static async open(path: string): Promise<SubmissionWriter> {
    const writer = new SubmissionWriter(await AtomicFile.open(path));
    const meta = {
      use_camera: true,
      use_lidar: false,
      use_radar: false,
      use_map: false,
      use_external: false,
    };
    await writer.#file.write(`{"meta": ${JSON.stringify(meta)},\n"results": {`);
    return writer;
  }

  async add(token: Token, boxes: readonly SubmissionBox[]): Promise<void> {
    await this.#file.write(`${this.#separator}${JSON.stringify(token)}: ${JSON.stringify(boxes)}`);
    this.#separator = ',\n';
  }

  async close(): Promise<void> {
    await this.#file.write('\n}}\n');
    await this.#file.close();
  }

  discard(): Promise<void> {
    return this.#file.discard();
  }
}
