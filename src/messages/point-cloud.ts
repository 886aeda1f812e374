import { BdcError } from '../errors.js';
import type { PerceptionResult } from '../perception/types.js';
import type { PointCloud2, PointField } from './ros-types.js';
import { timeFromNs } from './stamp.js';

/** `PointField.datatype` of sensor_msgs. */
export const UINT8 = 2;
export const UINT32 = 6;
export const FLOAT32 = 7;

/** Position in metres, float32 each: the first 12 bytes of every point. */
export const XYZ_FIELDS: readonly PointField[] = ['x', 'y', 'z'].map((name, i) => ({
  ...{ name, offset: 4 * i, datatype: FLOAT32, count: 1 },
}));

/** A cloud of points in one row, little endian, none of them invalid, with the stamp and frame of a result. */
export function unorderedCloud(
  { stamp, frameId }: Pick<PerceptionResult, 'stamp' | 'frameId'>,
  { fields, pointStep, data }: { fields: readonly PointField[]; pointStep: number; data: Uint8Array },
): PointCloud2 {
  return {
    header: { stamp: timeFromNs(stamp), frame_id: frameId },
    height: 1,
    width: data.length / pointStep,
    fields,
    is_bigendian: false,
    point_step: pointStep,
    row_step: data.length,
    data,
    is_dense: true,
  };
}

/**
 * Where a field of one of these datatypes lies in each point.
 * @throws BdcError `POINT_CLOUD_INVALID` if it is missing, of another type, or outside of the point
 */
export function fieldOffset(
  { fields, point_step: step }: PointCloud2,
  name: string,
  ...datatypes: readonly number[]
): number {
  const field = fields.find((candidate) => candidate.name === name);
  const bytes = field?.datatype === UINT8 ? 1 : 4;
  if (field === undefined || !datatypes.includes(field.datatype) || field.offset + bytes > step) {
    throw invalid(`expected a field ${name} inside of ${step} bytes, found ${JSON.stringify(fields)}`);
  }
  return field.offset;
}

/**
 * Where each point begins in the cloud's data.
 * @throws BdcError `POINT_CLOUD_INVALID` if the data is too short
 */
export function pointStarts(cloud: PointCloud2): number[] {
  const { width, height, point_step: step, row_step: rowStep, data } = cloud;
  if (rowStep < step * width || data.length < rowStep * height) {
    throw invalid(
      `expected ${height} rows of ${width} · ${step} bytes, found rows of ${rowStep}, ${data.length} bytes`,
    );
  }
  return Array.from(
    { length: width * height },
    (_, n) => Math.floor(n / width) * rowStep + (n % width) * step,
  );
}

const invalid = (message: string): BdcError =>
  new BdcError('message', { code: 'POINT_CLOUD_INVALID', message });
