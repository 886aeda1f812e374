import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { Ajv } from 'ajv';

import { BdcError } from '../errors.js';
import { cameraModelFromInfo } from '../geometry/camera-info.js';
import { RigidTransform } from '../geometry/rigid-transform.js';
import type { Matrix3, Vector3 } from '../geometry/rigid-transform.js';
import type { CameraFrame, CameraImage, CameraRig, RigCamera, StampNs } from '../perception/types.js';

/** An annotated box in the base frame. */
export interface AnnotatedBox {
  readonly label: string;
  readonly position: Vector3;
  /** Length, width, height. */
  readonly size: Vector3;
  readonly yaw: number;
}

/** What a frame file holds. */
export interface FrameFile {
  readonly rig: CameraRig;
  readonly frame: CameraFrame;
  /** Empty if the file has none. */
  readonly boxes: readonly AnnotatedBox[];
  /** LiDAR points in the base frame, `[n, 3]`; undefined if the file names none. */
  readonly points: Float32Array | undefined;
  /** Where the LiDAR is, base frame; undefined if the file names none. */
  readonly lidarOrigin: Vector3 | undefined;
}

type Rows = readonly (readonly number[])[];

interface CameraEntry {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly timestamp?: number;
  readonly K: Rows;
  readonly distortion_model?: string;
  readonly distortion?: readonly number[];
  readonly cam2ego: Rows;
}

interface FrameDocument {
  readonly timestamp: number;
  readonly cameras: Readonly<Record<string, CameraEntry>>;
  readonly lidar?: { readonly file: string; readonly lidar2ego: Rows };
  readonly boxes?: readonly { readonly label: string; readonly box_lidar: readonly number[] }[];
}

const matrix = (rows: number, columns: number): object => ({
  type: 'array',
  minItems: rows,
  maxItems: rows,
  items: { type: 'array', minItems: columns, maxItems: columns, items: { type: 'number' } },
});

const schema = {
  type: 'object',
  required: ['timestamp', 'cameras'],
  properties: {
    timestamp: { type: 'number', minimum: 0 },
    cameras: {
      type: 'object',
      minProperties: 1,
      additionalProperties: {
        type: 'object',
        required: ['file', 'width', 'height', 'K', 'cam2ego'],
        properties: {
          file: { type: 'string', minLength: 1 },
          width: { type: 'integer', minimum: 1 },
          height: { type: 'integer', minimum: 1 },
          timestamp: { type: 'number', minimum: 0 },
          K: matrix(3, 3),
          distortion_model: { type: 'string' },
          distortion: { type: 'array', items: { type: 'number' } },
          cam2ego: matrix(4, 4),
        },
      },
    },
    lidar: {
      type: 'object',
      required: ['file', 'lidar2ego'],
      properties: { file: { type: 'string', minLength: 1 }, lidar2ego: matrix(4, 4) },
    },
    boxes: {
      type: 'array',
      items: {
        type: 'object',
        required: ['label', 'box_lidar'],
        properties: {
          label: { type: 'string' },
          box_lidar: { type: 'array', minItems: 7, maxItems: 7, items: { type: 'number' } },
        },
      },
    },
  },
  if: { required: ['boxes'] },
  then: { required: ['lidar'] },
};

/** Float32 values of a LiDAR point: x, y, z, intensity, ring. */
const POINT_VALUES = 5;
/** How far a rotation matrix may be from one; float32 rounding makes about 1e-7. */
const ROTATION_TOLERANCE = 1e-4;

/**
 * Reads one set of images with its calibration: a JSON file beside its images, in nuScenes' terms (docs/frame-file.md). Images are read,
 * not decoded.
 *
 * @throws BdcError of kind `dataset`: `FRAME_FILE_MISSING`, `FRAME_FILE_INVALID`; of kind `camera`: a calibration that is none
 */
export async function readFrameFile(path: string): Promise<FrameFile> {
  const document = parse(await read(path, 'frame file'), path);
  const folder = dirname(path);
  const entries = Object.entries(document.cameras);
  const cameras = entries.map(([name, entry]) => rigCamera(name, entry, path));
  const images = await Promise.all(
    entries.map(async ([name, entry]): Promise<CameraImage> => {
      const data = await read(join(folder, entry.file), `image of camera ${name}`);
      return { kind: 'compressed', stamp: stampOf(entry.timestamp ?? document.timestamp), data };
    }),
  );
  return {
    rig: { baseFrame: 'base_link', cameras },
    frame: { stamp: stampOf(document.timestamp), images },
    ...(await readLidar(document, path)),
  };
}

async function read(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new BdcError('dataset', {
      code: 'FRAME_FILE_MISSING',
      message: `the ${what} cannot be read: ${(cause as Error).message}`,
      cause,
    });
  }
}

function parse(bytes: Uint8Array, path: string): FrameDocument {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw invalid(path, `is not JSON: ${(cause as Error).message}`, cause);
  }
  const validate = new Ajv().compile<FrameDocument>(schema);
  if (!validate(document)) {
    const { instancePath, message } = validate.errors![0]!;
    throw invalid(path, `${instancePath === '' ? 'document' : instancePath} ${message}`);
  }
  return document;
}

function rigCamera(name: string, entry: CameraEntry, path: string): RigCamera {
  const { width, height, K, distortion = [] } = entry;
  const distortion_model = entry.distortion_model ?? (distortion.length === 0 ? 'none' : 'plumb_bob');
  return {
    name,
    model: cameraModelFromInfo({ width, height, distortion_model, d: distortion, k: K.flat() }, name),
    baseFromCamera: rigidTransform(entry.cam2ego, `/cameras/${name}/cam2ego`, path),
  };
}

async function readLidar(
  { lidar, boxes }: FrameDocument,
  path: string,
): Promise<Pick<FrameFile, 'boxes' | 'points' | 'lidarOrigin'>> {
  if (lidar === undefined) return { boxes: [], points: undefined, lidarOrigin: undefined };
  const baseFromLidar = rigidTransform(lidar.lidar2ego, '/lidar/lidar2ego', path);
  const bytes = await read(join(dirname(path), lidar.file), 'LiDAR file');
  const pointBytes = POINT_VALUES * Float32Array.BYTES_PER_ELEMENT;
  if (bytes.length % pointBytes !== 0) {
    throw invalid(path, `names a LiDAR file of ${bytes.length} bytes, which is no multiple of ${pointBytes}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const points = new Float32Array((bytes.length / pointBytes) * 3);
  for (let i = 0; i < points.length / 3; i++) {
    const value = (axis: number): number => view.getFloat32(i * pointBytes + axis * 4, true);
    points.set(baseFromLidar.apply([value(0), value(1), value(2)]), i * 3);
  }
  return {
    points,
    lidarOrigin: baseFromLidar.translation,
    boxes: (boxes ?? []).map(({ label, box_lidar }) => {
      const [x, y, z, length, width, height, yaw] = box_lidar as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const heading = baseFromLidar.rotate([Math.cos(yaw), Math.sin(yaw), 0]);
      return {
        label,
        position: baseFromLidar.apply([x, y, z]),
        size: [length, width, height],
        yaw: Math.atan2(heading[1], heading[0]),
      };
    }),
  };
}

function rigidTransform(rows: Rows, field: string, path: string): RigidTransform {
  const [a, b, c] = rows.map((row) => row.slice(0, 3) as unknown as Vector3) as [Vector3, Vector3, Vector3];
  const cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const errors = [
    Math.hypot(...a) - 1,
    Math.hypot(...b) - 1,
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2],
    ...c.map((value, i) => value - cross[i]!),
    ...rows[3]!.map((value, i) => value - (i === 3 ? 1 : 0)),
  ];
  if (!errors.every((error) => Math.abs(error) < ROTATION_TOLERANCE)) {
    throw invalid(path, `${field} must be a rotation and a translation over 0 0 0 1`);
  }
  const translation = rows.slice(0, 3).map((row) => row[3]) as unknown as Vector3;
  return RigidTransform.fromMatrix([...a, ...b, ...c] as unknown as Matrix3, translation);
}

/** Microseconds are all that a double holds of the seconds since 1970. */
const stampOf = (seconds: number): StampNs => BigInt(Math.round(seconds * 1e6)) * 1000n;

const invalid = (path: string, found: string, cause?: unknown): BdcError =>
  new BdcError('dataset', {
    code: 'FRAME_FILE_INVALID',
    message: `${path}: ${found}; docs/frame-file.md describes the format`,
    cause,
  });
