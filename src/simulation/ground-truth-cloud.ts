import { OCC3D_CLASSES, OCC3D_FREE } from '../dataset/occ3d.js';
import type { VoxelGrid } from '../geometry/voxel-grid.js';
import type { Header, PointCloud2, PointField } from '../messages/ros-types.js';
import type { RenderedVoxels } from './native.js';

/** `PointField.datatype` of sensor_msgs. */
const UINT8 = 2;
const FLOAT32 = 7;
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
 * point. As in training, a block's label is the most frequent one of its visible voxels that are not free (the lowest index wins a tie),
 * and free if there is none.
 *
 * @throws RangeError unless the grid divides into whole blocks
 */
export function groundTruthCloud(
  { semantics, maskCamera }: RenderedVoxels,
  grid: VoxelGrid,
  factor: number,
  header: Header,
): PointCloud2 {
  const blocks = grid.shape.map((side) => side / factor) as [number, number, number];
  if (!blocks.every((side) => Number.isInteger(side) && side >= 1)) {
    throw new RangeError(`a grid of ${grid.shape.join('×')} voxels does not divide into blocks of ${factor}`);
  }
  const data = new Uint8Array(blocks[0] * blocks[1] * blocks[2] * POINT_STEP);
  const view = new DataView(data.buffer);
  const votes = new Uint16Array(OCC3D_CLASSES.length);
  let count = 0;
  for (let i = 0; i < blocks[0]; i++) {
    for (let j = 0; j < blocks[1]; j++) {
      for (let k = 0; k < blocks[2]; k++) {
        votes.fill(0);
        for (let voxel = 0; voxel < factor ** 3; voxel++) {
          const x = i * factor + (voxel % factor);
          const y = j * factor + (Math.floor(voxel / factor) % factor);
          const z = k * factor + Math.floor(voxel / factor ** 2);
          const index = (x * grid.shape[1] + y) * grid.shape[2] + z;
          if (maskCamera[index] === 1) votes[semantics[index]!]! += 1;
        }
        const label = winner(votes);
        if (label === undefined) continue;
        const at = count * POINT_STEP;
        view.setFloat32(at, grid.min[0] + (i + 0.5) * factor * grid.cellSize[0], true);
        view.setFloat32(at + 4, grid.min[1] + (j + 0.5) * factor * grid.cellSize[1], true);
        view.setFloat32(at + 8, grid.min[2] + (k + 0.5) * factor * grid.cellSize[2], true);
        data[at + 12] = label;
        count += 1;
      }
    }
  }
  return {
    header,
    height: 1,
    width: count,
    fields: FIELDS,
    is_bigendian: false,
    point_step: POINT_STEP,
    row_step: count * POINT_STEP,
    data: data.subarray(0, count * POINT_STEP),
    is_dense: true,
  };
}

/** The label of a block by its voxels' votes; undefined where no camera sees any of them. */
function winner(votes: Uint16Array): number | undefined {
  let best: number | undefined = votes[OCC3D_FREE]! > 0 ? OCC3D_FREE : undefined;
  let most = 0;
  for (let label = 0; label < OCC3D_FREE; label++) {
    if (votes[label]! > most) {
      most = votes[label]!;
      best = label;
    }
  }
  return best;
}
