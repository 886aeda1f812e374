import { parse } from 'yaml';
import { BdcError } from '../errors.js';
import type { CameraInfo } from './camera-info.js';

/** Fields of the file that are numbers in a matrix, and how many they must be (undefined: any number). */
const MATRICES = {
  camera_matrix: 9,
  distortion_coefficients: undefined,
} as const;

/**
 * A calibration file as camera_info_manager (camera_calibration_parsers) and camera_calibration write it: YAML with `image_width`,
 * `image_height`, `distortion_model`, and matrices as `{rows, cols, data}`. Rectification and projection are not needed and not read.
 *
 * @param name of the file, for messages
 * @throws BdcError `CALIBRATION_FILE_INVALID`
 */
export function parseCalibrationFile(text: string, name: string): CameraInfo {
  const invalid = (found: string, cause?: unknown): BdcError =>
    new BdcError('camera', {
      code: 'CALIBRATION_FILE_INVALID',
      message: `calibration file ${name}: ${found}; camera_calibration writes such files`,
      cause,
    });
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw invalid(`it is no YAML (${(cause as Error).message})`, cause);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw invalid('expected fields image_width, image_height, camera_matrix …, found none');
  }
  const fields = document as Readonly<Record<string, unknown>>;
  const size = (field: 'image_width' | 'image_height'): number => {
    const value = fields[field];
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    throw invalid(`expected ${field} to be a whole number above 0, found ${JSON.stringify(value)}`);
  };
  const matrix = (field: keyof typeof MATRICES): readonly number[] => {
    const data = (fields[field] as { readonly data?: unknown } | null | undefined)?.data;
    const count = MATRICES[field];
    const isNumbers = Array.isArray(data) && data.every((value) => typeof value === 'number');
    if (isNumbers && (count === undefined || data.length === count)) return data;
    const wanted = count === undefined ? 'numbers' : `${count} numbers`;
    throw invalid(`expected ${field}.data to be ${wanted}, found ${JSON.stringify(data)}`);
  };
  const model = fields['distortion_model'];
  if (typeof model !== 'string') {
    throw invalid(`expected distortion_model to be a name such as plumb_bob, found ${JSON.stringify(model)}`);
  }
  return {
    width: size('image_width'),
    height: size('image_height'),
    distortion_model: model,
    d: matrix('distortion_coefficients'),
    k: matrix('camera_matrix'),
  };
}
