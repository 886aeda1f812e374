import { OCC3D_CLASSES, OCC3D_FREE } from '../dataset/occ3d.js';
import { downsampleLabels } from '../dataset/resample-labels.js';
import { VoxelGrid } from '../geometry/voxel-grid.js';
import { FLOAT32, UINT8 } from '../messages/point-cloud.js';
import type { Header, PointCloud2, PointField } from '../messages/ros-types.js';
import type { RenderedVoxels } from './native.js';

/** One point, little endian, 16 bytes: x, y, z as float32, label as uint8, three bytes of padding. */
const POINT_STEP = 16;
const FIELDS: readonly PointField[] = [
  { name: 'x', offset: 0, datatype: FLOAT32, count: 1 },
  { name: 'y', offset: 4, datatype: FLOAT32, count: 1 },
  { name: 'z', offset: 8, datatype: FLOAT32, count: 1 },
  { name: 'label', offset: 12, datatype: UINT8, count: 1 },
];

/**
 * The centres of all voxels that a camera sees, free ones (label 17) included, in the grid's frame. `factor`: voxels a side that make one
 * point, by the rule of `downsampleLabels`.
 *
 * @throws RangeError unless the grid divides into whole blocks
 */
export function groundTruthCloud(
  { semantics, maskCamera }: RenderedVoxels,
  grid: VoxelGrid,
  factor: number,
  header: Header,
): PointCloud2 {
  const [nx, ny, nz] = grid.shape;
  const coarse = new VoxelGrid({ ...grid, shape: [nx / factor, ny / factor, nz / factor] });
  const truth = { grid, labels: semantics, mask: maskCamera };
  const { labels, mask } = downsampleLabels(truth, coarse, OCC3D_CLASSES.length, OCC3D_FREE);
  const count = mask.reduce((sum, seen) => sum + seen, 0);
  const data = new Uint8Array(count * POINT_STEP);
  const view = new DataView(data.buffer);
  let at = 0;
  for (let index = 0; index < coarse.size; index++) {
    if (mask[index] === 0) continue;
    const column = Math.floor(index / coarse.shape[2]);
    const i = Math.floor(column / coarse.shape[1]);
    coarse
      .center(i, column % coarse.shape[1], index % coarse.shape[2])
      .forEach((coordinate, axis) => view.setFloat32(at + 4 * axis, coordinate, true));
    data[at + 12] = labels[index]!;
    at += POINT_STEP;
  }
  return {
    header,
    height: 1,
    width: count,
    fields: FIELDS,
    is_bigendian: false,
    point_step: POINT_STEP,
    row_step: data.length,
    data,
    is_dense: true,
  };
}
