import { BdcError } from '../errors.js';
import { cameraModelFromInfo, type CameraInfo } from '../geometry/camera-info.js';
import type { CameraModel } from '../geometry/camera-model.js';
import type { RigidTransform } from '../geometry/rigid-transform.js';
import type { TransformBuffer } from '../geometry/transform-buffer.js';
import type { CameraFrame, CameraRig, RigCamera } from './types.js';

/** Movements of a camera below these change no voxel; transforms of vibrating or re-sent frames must not rebuild the projection tables. */
const SAME_POSITION_M = 1e-3;
const SAME_ROTATION = 1e-4;

export interface Assembly {
  /** Undefined if no camera can be used. */
  readonly rig: CameraRig | undefined;
  /** Indices of the rig's cameras among all. */
  readonly used: readonly number[];
  readonly faults: readonly { readonly camera: string; readonly error: BdcError }[];
  /** False if a transform of a camera that has an image is only late. */
  readonly isFinal: boolean;
}

interface Calibration {
  readonly frameId: string;
  readonly info: CameraInfo;
  readonly model: CameraModel | BdcError;
}

/** Puts the rig of a frame together out of the cameras whose calibration and transform are known; the same object while it is the same rig. */
export class RigAssembler {
  readonly #baseFrame: string;
  readonly #cameras: readonly string[];
  readonly #transforms: TransformBuffer;
  readonly #calibrations = new Map<string, Calibration>();
  #rig: CameraRig | undefined;

  constructor(baseFrame: string, cameras: readonly string[], transforms: TransformBuffer) {
    this.#baseFrame = baseFrame;
    this.#cameras = cameras;
    this.#transforms = transforms;
  }

  /** Whether it is another one than before; an invalid one takes the place of a valid one. */
  setCalibration(camera: string, frameId: string, info: CameraInfo): boolean {
    const known = this.#calibrations.get(camera);
    if (known?.frameId === frameId && isSameInfo(known.info, info)) return false;
    this.#calibrations.set(camera, {
      frameId,
      info,
      model: orError(() => cameraModelFromInfo(info, camera)),
    });
    return true;
  }

  /** As last received, valid or not; what the rig's camera of that name was made of. */
  calibrationOf(camera: string): { readonly frameId: string; readonly info: CameraInfo } | undefined {
    return this.#calibrations.get(camera);
  }

  assemble({ stamp, images }: CameraFrame): Assembly {
    const faults: { camera: string; error: BdcError }[] = [];
    const cameras: RigCamera[] = [];
    const used: number[] = [];
    let isFinal = true;
    this.#cameras.forEach((name, i) => {
      // a camera that moves on the robot is where it was when it took its own image
      const camera = this.#camera(name, images[i]?.stamp ?? stamp);
      if (!(camera instanceof BdcError)) {
        used.push(i);
        cameras.push(camera);
        return;
      }
      if (images[i] === undefined) return;
      faults.push({ camera: name, error: camera });
      if (camera.code === 'TRANSFORM_OUT_OF_TIME') isFinal = false;
    });
    if (cameras.length === 0) return { rig: undefined, used, faults, isFinal };
    if (this.#rig === undefined || !isSameRig(this.#rig.cameras, cameras)) {
      this.#rig = { baseFrame: this.#baseFrame, cameras };
    }
    return { rig: this.#rig, used, faults, isFinal };
  }

  #camera(name: string, stamp: bigint): RigCamera | BdcError {
    const calibration = this.#calibrations.get(name);
    if (calibration === undefined) {
      return new BdcError('camera', {
        code: 'CAMERA_INFO_MISSING',
        message: `camera ${name}: images came, but no CameraInfo; check its camera_info topic`,
      });
    }
    const { model, frameId } = calibration;
    if (model instanceof BdcError) return model;
    const baseFromCamera = orError(() => this.#transforms.lookup(this.#baseFrame, frameId, stamp));
    return baseFromCamera instanceof BdcError ? baseFromCamera : { name, model, baseFromCamera };
  }
}

function orError<T>(work: () => T): T | BdcError {
  try {
    return work();
  } catch (error) {
    if (error instanceof BdcError) return error;
    throw error;
  }
}

/** The model is made anew only when the calibration changes, so it stands for it. */
const isSameRig = (a: readonly RigCamera[], b: readonly RigCamera[]): boolean =>
  a.length === b.length &&
  a.every(
    ({ name, model, baseFromCamera }, i) =>
      name === b[i]!.name && model === b[i]!.model && isSamePose(baseFromCamera, b[i]!.baseFromCamera),
  );

const isSamePose = (a: RigidTransform, b: RigidTransform): boolean =>
  a.translation.every((value, i) => Math.abs(value - b.translation[i]!) < SAME_POSITION_M) &&
  a.matrix.every((value, i) => Math.abs(value - b.matrix[i]!) < SAME_ROTATION);

function isSameInfo(a: CameraInfo, b: CameraInfo): boolean {
  const numbers = ({ width, height, binning_x, binning_y, roi, d, k }: CameraInfo): readonly unknown[] => [
    width,
    height,
    binning_x,
    binning_y,
    roi?.x_offset,
    roi?.y_offset,
    roi?.width,
    roi?.height,
    ...Array.from(d),
    ...Array.from(k),
  ];
  const [left, right] = [numbers(a), numbers(b)];
  return (
    a.distortion_model === b.distortion_model &&
    left.length === right.length &&
    left.every((value, i) => Object.is(value, right[i]))
  );
}
