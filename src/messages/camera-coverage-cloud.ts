import type { PerceptionResult } from '../perception/types.js';
import { layersOf, type HeightBand } from './occupancy-grid.js';
import { requireOccupancy } from './occupied-voxels-cloud.js';
import { FLOAT32, UINT32, unorderedCloud, XYZ_FIELDS } from './point-cloud.js';
import type { PointCloud2, PointField } from './ros-types.js';

/** One point, little endian: x, y, z float32 in metres; rgb uint32 0x00RRGGBB in a float32 field; cameras uint32. */
const POINT_STEP = 20;
const FIELDS: readonly PointField[] = [
  ...XYZ_FIELDS,
  { name: 'rgb', offset: 12, datatype: FLOAT32, count: 1 },
  { name: 'cameras', offset: 16, datatype: UINT32, count: 1 },
];

/** Told apart also by the colour-blind (Okabe and Ito 2008); by the first camera that looks there. */
const COLORS = [0x0072b2, 0xe69f00, 0x009e73, 0xd55e00, 0x56b4e9, 0xcc79a7, 0xf0e442, 0xffffff];

export interface CoverageSource {
  /** A bit for each camera of the rig that looks at a voxel, in the grid's order. */
  readonly coverage: Uint32Array;
  /** The bit in the message's field `cameras` for each camera of the rig. */
  readonly bits: readonly number[];
  readonly band: HeightBand;
}

/**
 * Which live cameras look at each cell of the ground plan, within the height band: one point a cell that any of them sees, at the band's
 * lower end. Bit i of the field `cameras` is the i-th of the node's cameras.
 */
export function cameraCoverageCloud(
  result: PerceptionResult,
  { coverage, bits, band }: CoverageSource,
): PointCloud2 {
  const { grid } = requireOccupancy(result);
  const [nx, ny, nz] = grid.shape;
  const [first, last] = layersOf(grid, band);
  const live = result.liveCameras.reduce((mask, isLive, camera) => (isLive ? mask | (1 << camera) : mask), 0);
  const data = new Uint8Array(nx * ny * POINT_STEP);
  const view = new DataView(data.buffer);
  let count = 0;
  for (let i = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++) {
      let seenBy = 0;
      for (let k = first; k < last; k++) seenBy |= coverage[(i * ny + j) * nz + k]!;
      seenBy &= live;
      if (seenBy === 0) continue;
      const cameras = bits.reduce(
        (mask, bit, camera) => (seenBy & (1 << camera) ? mask | (1 << bit) : mask),
        0,
      );
      const at = count++ * POINT_STEP;
      const [x, y] = grid.center(i, j, 0);
      view.setFloat32(at, x, true);
      view.setFloat32(at + 4, y, true);
      view.setFloat32(at + 8, band.min, true);
      view.setUint32(at + 12, COLORS[(31 - Math.clz32(cameras & -cameras)) % COLORS.length]!, true);
      view.setUint32(at + 16, cameras, true);
    }
  }
  return unorderedCloud(result, {
    fields: FIELDS,
    pointStep: POINT_STEP,
    data: data.subarray(0, count * POINT_STEP),
  });
}
