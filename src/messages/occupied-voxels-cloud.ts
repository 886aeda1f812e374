import type { OccupancyClass } from '../engine/manifest.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';
import type { PerceptionResult } from '../perception/types.js';
import {
  fieldOffset,
  FLOAT32,
  pointStarts,
  UINT32,
  UINT8,
  unorderedCloud,
  XYZ_FIELDS,
} from './point-cloud.js';
import type { PointCloud2, PointField } from './ros-types.js';

/**
 * One point, little endian, 24 bytes; floats are aligned, as PCL and RViz want them:
 *
 *     0      4      8      12           16     20      21    24
 *     | x    | y    | z    | confidence | rgb  | label | pad |
 *
 * x, y, z: float32, centre of the voxel in metres; confidence: float32, 0 … 1; rgb: uint32 0x00RRGGBB in a float32 field, PCL's
 * convention; label: uint8, index into the model's classes.
 */
const POINT_STEP = 24;
const FIELDS: readonly PointField[] = [
  ...XYZ_FIELDS,
  { name: 'confidence', offset: 12, datatype: FLOAT32, count: 1 },
  { name: 'rgb', offset: 16, datatype: FLOAT32, count: 1 },
  { name: 'label', offset: 20, datatype: UINT8, count: 1 },
];

export interface OccupancyLabels {
  readonly classes: readonly OccupancyClass[];
  /** Index of the class that means "nothing there". */
  readonly free: number;
}

/**
 * The voxels that a live camera sees and that are not free, in the grid's order.
 * @param only the classes that are wanted; default: all
 */
export function occupiedVoxelsCloud(
  result: PerceptionResult,
  { classes, free }: OccupancyLabels,
  only?: ReadonlySet<number>,
): PointCloud2 {
  const { grid, labels, confidence } = requireOccupancy(result);
  const voxels = shownVoxels(result, { classes, free }, only);
  const data = new Uint8Array(voxels.length * POINT_STEP);
  // in the byte order of this machine: all that the engine runs on are little endian
  const [floats, words] = [new Float32Array(data.buffer), new Uint32Array(data.buffer)];
  const colors = Uint32Array.from(classes, ({ color: [r, g, b] }) => (r << 16) | (g << 8) | b);
  const { x, y, z } = columnCentres(grid);
  const nz = z.length;
  for (let n = 0, at = 0; n < voxels.length; n++, at += POINT_STEP / 4) {
    const index = voxels[n]!;
    const column = Math.floor(index / nz);
    const label = labels[index]!;
    floats[at] = x[column]!;
    floats[at + 1] = y[column]!;
    floats[at + 2] = z[index - column * nz]!;
    floats[at + 3] = confidence[index]!;
    words[at + 4] = colors[label]!;
    words[at + 5] = label;
  }
  return unorderedCloud(result, { fields: FIELDS, pointStep: POINT_STEP, data });
}

/**
 * Indices of the voxels that a live camera sees and whose class is wanted, in the grid's order; free ones never are.
 * @param only the classes that are wanted; default: all
 */
export function shownVoxels(
  result: PerceptionResult,
  { classes, free }: OccupancyLabels,
  only?: ReadonlySet<number>,
): Uint32Array {
  const { labels, observed } = requireOccupancy(result);
  const isShown = Uint8Array.from(classes, (_, label) =>
    label !== free && (only === undefined || only.has(label)) ? 1 : 0,
  );
  const voxels = new Uint32Array(labels.length);
  let count = 0;
  // without a branch: a processor cannot predict which voxels are occupied
  for (let i = 0; i < labels.length; i++) {
    voxels[count] = i;
    count += observed[i]! & isShown[labels[i]!]!;
  }
  return voxels.subarray(0, count);
}

/** Centres of the grid's columns, in its order, and of the voxels of a column from below; metres. */
export function columnCentres({ min, cellSize, shape: [nx, ny, nz] }: VoxelGrid): {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
} {
  const [x, y] = [new Float64Array(nx * ny), new Float64Array(nx * ny)];
  for (let i = 0, column = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++, column++) {
      x[column] = min[0] + (i + 0.5) * cellSize[0];
      y[column] = min[1] + (j + 0.5) * cellSize[1];
    }
  }
  const z = Float64Array.from({ length: nz }, (_, k) => min[2] + (k + 0.5) * cellSize[2]);
  return { x, y, z };
}

/** How many points `occupiedVoxelsCloud` makes of all classes. */
export function countOccupiedVoxels(result: PerceptionResult, free: number): number {
  const { labels, observed } = requireOccupancy(result);
  let count = 0;
  // not reduce(): half a million calls a frame
  for (let i = 0; i < labels.length; i++) if (observed[i] === 1 && labels[i] !== free) count++;
  return count;
}

export interface VoxelPoint {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly label: number;
  readonly confidence: number;
  /** 0x00RRGGBB. */
  readonly rgb: number;
}

/**
 * The points of a cloud as `occupiedVoxelsCloud` makes it, in any layout that its fields describe.
 * @throws BdcError `POINT_CLOUD_INVALID` if a field is missing, of another type, or the data is too short
 */
export function readOccupiedVoxelsCloud(cloud: PointCloud2): VoxelPoint[] {
  const { data, is_bigendian: big } = cloud;
  const x = fieldOffset(cloud, 'x', FLOAT32);
  const y = fieldOffset(cloud, 'y', FLOAT32);
  const z = fieldOffset(cloud, 'z', FLOAT32);
  const confidence = fieldOffset(cloud, 'confidence', FLOAT32);
  const rgb = fieldOffset(cloud, 'rgb', FLOAT32, UINT32);
  const label = fieldOffset(cloud, 'label', UINT8);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return pointStarts(cloud).map((at) => ({
    x: view.getFloat32(at + x, !big),
    y: view.getFloat32(at + y, !big),
    z: view.getFloat32(at + z, !big),
    confidence: view.getFloat32(at + confidence, !big),
    rgb: view.getUint32(at + rgb, !big),
    label: view.getUint8(at + label),
  }));
}

export function requireOccupancy({
  occupancy,
}: PerceptionResult): NonNullable<PerceptionResult['occupancy']> {
  if (occupancy === undefined)
    throw new TypeError('the model has no occupancy head: there are no voxels to send');
  return occupancy;
}
