import { BdcError } from '../errors.js';
import type { CameraModel } from './camera-model.js';
import { FisheyeCamera } from './fisheye-camera.js';
import { FisheyeDistortion } from './fisheye-distortion.js';
import type { Intrinsics } from './intrinsics.js';
import { PinholeCamera } from './pinhole-camera.js';
import { PolynomialDistortion } from './polynomial-distortion.js';

/** What is used of `sensor_msgs/msg/CameraInfo`, with its field names. */
export interface CameraInfo {
  readonly width: number;
  readonly height: number;
  readonly distortion_model: string;
  /** Distortion coefficients in OpenCV's order. */
  readonly d: ArrayLike<number>;
  /** Row-major 3×3 of the raw image. */
  readonly k: ArrayLike<number>;
  /** 0 and 1 both mean none. */
  readonly binning_x?: number;
  readonly binning_y?: number;
  /** In pixels of the unbinned image; all zero means all of it. */
  readonly roi?: {
    readonly x_offset: number;
    readonly y_offset: number;
    readonly width: number;
    readonly height: number;
  };
}

/** Numbers of coefficients that each distortion model may have. `none` is ours, for calibration that does not come from ROS. */
const COEFFICIENTS: Readonly<Record<string, readonly number[]>> = {
  '': [0],
  none: [0],
  plumb_bob: [0, 4, 5],
  rational_polynomial: [0, 4, 5, 8, 12, 14],
  equidistant: [0, 4],
  fisheye: [0, 4],
};

/**
 * The camera that took the raw image of a CameraInfo: K and the distortion coefficients describe it. R and P describe the rectified
 * image and are not used. Region of interest and binning are applied to K as image_geometry does: the offset is subtracted, then all
 * is divided by the binning.
 *
 * @param name goes into error messages
 * @throws BdcError `CAMERA_INFO_INVALID`, `CAMERA_NOT_CALIBRATED` or `CAMERA_DISTORTION_UNSUPPORTED`
 */
export function cameraModelFromInfo(info: CameraInfo, name: string): CameraModel {
  const intrinsics = readIntrinsics(info, name);
  const d = readDistortion(info, name);
  if (d.every((coefficient) => coefficient === 0) && !isFisheye(info)) return new PinholeCamera(intrinsics);
  if (!isFisheye(info)) return new PinholeCamera(intrinsics, new PolynomialDistortion(d));
  const [k1 = 0, k2 = 0, k3 = 0, k4 = 0] = d;
  return new FisheyeCamera(intrinsics, new FisheyeDistortion([k1, k2, k3, k4]));
}

const isFisheye = (info: CameraInfo): boolean =>
  info.distortion_model === 'equidistant' || info.distortion_model === 'fisheye';

function readIntrinsics(info: CameraInfo, name: string): Intrinsics {
  const invalid = (found: string): BdcError =>
    new BdcError('camera', {
      code: 'CAMERA_INFO_INVALID',
      message: `camera ${name}: ${found}; check the driver's calibration file`,
    });
  const { width, height } = info;
  if (!isPositiveInteger(width) || !isPositiveInteger(height)) {
    throw invalid(`its CameraInfo must have a width and height above 0, found ${width} × ${height}`);
  }
  const k = Array.from(info.k);
  if (k.length !== 9 || !k.every(Number.isFinite)) {
    throw invalid(`K must be 9 finite numbers, found [${k.join(', ')}]`);
  }
  if (k.every((value) => value === 0)) {
    throw new BdcError('camera', {
      code: 'CAMERA_NOT_CALIBRATED',
      message: `camera ${name}: K is all zeros, which means "not calibrated"; calibrate it or give its driver the calibration file`,
    });
  }
  const [fx, skew, cx, k3, fy, cy, k6, k7, k8] = k as [number, ...number[]] & number[];
  if (!(fx > 0 && fy! > 0) || skew !== 0 || k3 !== 0 || k6 !== 0 || k7 !== 0 || k8 !== 1) {
    throw invalid(
      `K must be [fx 0 cx; 0 fy cy; 0 0 1] with fx and fy above 0, found [${k.slice(0, 3).join(' ')}; ` +
        `${k.slice(3, 6).join(' ')}; ${k.slice(6).join(' ')}]`,
    );
  }
  const [binningX, binningY] = [info.binning_x || 1, info.binning_y || 1];
  if (!isPositiveInteger(binningX) || !isPositiveInteger(binningY)) {
    throw invalid(`binning must be whole and not negative, found ${binningX} × ${binningY}`);
  }
  const whole = { x_offset: 0, y_offset: 0, width, height };
  const roi = info.roi && info.roi.width !== 0 && info.roi.height !== 0 ? info.roi : whole;
  if (
    !(roi.x_offset >= 0 && roi.y_offset >= 0) ||
    roi.x_offset + roi.width > width ||
    roi.y_offset + roi.height > height
  ) {
    throw invalid(
      `its region of interest must lie in the ${width} × ${height} image, found ${roi.width} × ${roi.height} at ` +
        `(${roi.x_offset}, ${roi.y_offset})`,
    );
  }
  return {
    width: Math.floor(roi.width / binningX),
    height: Math.floor(roi.height / binningY),
    fx: fx / binningX,
    fy: fy! / binningY,
    cx: (cx! - roi.x_offset) / binningX,
    cy: (cy! - roi.y_offset) / binningY,
  };
}

function readDistortion(info: CameraInfo, name: string): readonly number[] {
  const unsupported = (found: string): BdcError =>
    new BdcError('camera', { code: 'CAMERA_DISTORTION_UNSUPPORTED', message: `camera ${name}: ${found}` });
  const d = Array.from(info.d);
  const lengths = Object.hasOwn(COEFFICIENTS, info.distortion_model)
    ? COEFFICIENTS[info.distortion_model]!
    : undefined;
  if (lengths === undefined) {
    throw unsupported(
      `distortion model "${info.distortion_model}" is unknown; plumb_bob, rational_polynomial, equidistant and none are supported`,
    );
  }
  if (!lengths.includes(d.length)) {
    throw unsupported(
      `distortion model "${info.distortion_model}" has ${lengths.join(' or ')} coefficients, found ${d.length}`,
    );
  }
  if (!d.every(Number.isFinite)) {
    throw unsupported(`distortion coefficients must be finite, found [${d.join(', ')}]`);
  }
  if (d[12] || d[13]) {
    throw unsupported(
      `a tilted sensor (coefficients 13 and 14: ${d[12]}, ${d[13]}) is not supported; calibrate without the tilted model`,
    );
  }
  return d;
}

const isPositiveInteger = (value: number): boolean => Number.isInteger(value) && value > 0;
