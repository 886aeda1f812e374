import type { VoxelGrid } from '../geometry/voxel-grid.js';

export interface VoxelLabels {
  readonly grid: VoxelGrid;
  /** Class per voxel, `[nx][ny][nz]`. */
  readonly labels: Uint8Array;
  /** 1 where the voxel counts (Occ3D's `mask_camera`), same order. */
  readonly mask: Uint8Array;
}

function blockSize(fine: VoxelGrid, coarse: VoxelGrid): readonly [number, number, number] {
  const size = [0, 1, 2].map((axis) => fine.shape[axis]! / coarse.shape[axis]!);
  const sameRange = [0, 1, 2].every(
    (axis) =>
      Math.abs(fine.min[axis]! - coarse.min[axis]!) < 1e-6 &&
      Math.abs(fine.max[axis]! - coarse.max[axis]!) < 1e-6,
  );
  if (!sameRange || !size.every((n) => Number.isInteger(n) && n >= 1)) {
    throw new RangeError(
      `labels can be resampled only between grids of the same range with whole ratios; found ${fine.shape.join('×')} over ` +
        `[${fine.min.join(', ')}]…[${fine.max.join(', ')}] and ${coarse.shape.join('×')} over ` +
        `[${coarse.min.join(', ')}]…[${coarse.max.join(', ')}]`,
    );
  }
  return size as [number, number, number];
}

/** Calls `visit(fineIndex, coarseIndex)` for every voxel of the fine grid, in its order. */
function forEachPair(
  fine: VoxelGrid,
  coarse: VoxelGrid,
  visit: (fineIndex: number, coarseIndex: number) => void,
): void {
  const [bx, by, bz] = blockSize(fine, coarse);
  let fineIndex = 0;
  for (let i = 0; i < fine.shape[0]; i++) {
    for (let j = 0; j < fine.shape[1]; j++) {
      const column = (Math.floor(i / bx) * coarse.shape[1] + Math.floor(j / by)) * coarse.shape[2];
      for (let k = 0; k < fine.shape[2]; k++) visit(fineIndex++, column + Math.floor(k / bz));
    }
  }
}

/**
 * Labels of a fine grid on a coarser one, the rule that training uses: of a block's visible voxels, the most frequent class that is not
 * free (the lowest index wins a tie); free if there is none; visible if any of them is.
 */
export function downsampleLabels(
  { grid, labels, mask }: VoxelLabels,
  coarse: VoxelGrid,
  classes: number,
  free: number,
): VoxelLabels {
  const votes = new Uint16Array(coarse.size * classes);
  forEachPair(grid, coarse, (fineIndex, coarseIndex) => {
    if (mask[fineIndex] !== 0) votes[coarseIndex * classes + labels[fineIndex]!]! += 1;
  });
  const out = {
    grid: coarse,
    labels: new Uint8Array(coarse.size).fill(free),
    mask: new Uint8Array(coarse.size),
  };
  for (let index = 0; index < coarse.size; index++) {
    let most = 0;
    for (let label = 0; label < classes; label++) {
      const count = votes[index * classes + label]!;
      if (count > 0) out.mask[index] = 1;
      if (label !== free && count > most) {
        most = count;
        out.labels[index] = label;
      }
    }
  }
  return out;
}

/** Labels of a coarse grid repeated on a finer one. */
export function upsampleLabels(labels: Uint8Array, coarse: VoxelGrid, fine: VoxelGrid): Uint8Array {
  const out = new Uint8Array(fine.size);
  forEachPair(fine, coarse, (fineIndex, coarseIndex) => {
    out[fineIndex] = labels[coarseIndex]!;
  });
  return out;
}
