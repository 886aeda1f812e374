import type { VoxelGrid } from '../../../src/geometry/voxel-grid.js';
import type { ModelManifest } from '../../../src/engine/manifest.js';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { modelFile } from '../frame-file.js';
import { arrayBytes } from '../peer.js';
import type { ReceivedCloud, ReceivedGrid } from '../robot.js';

/** Positions of a cloud's points and its field of that name, if it has one. */
export function pointsOf(
  { data, point_step, fields }: ReceivedCloud,
  field?: 'cameras' | 'confidence' | 'label',
): readonly { readonly x: number; readonly y: number; readonly z: number; readonly value: number }[] {
  const bytes = arrayBytes(data);
  const offset = fields.find(({ name }) => name === field)?.offset;
  const read = (at: number): number => {
    if (offset === undefined) return 0;
    if (field === 'confidence') return bytes.readFloatLE(at + offset);
    return field === 'cameras' ? bytes.readUInt32LE(at + offset) : bytes.readUInt8(at + offset);
  };
  return Array.from({ length: bytes.length / point_step }, (_, i) => {
    const at = i * point_step;
    return {
      x: bytes.readFloatLE(at),
      y: bytes.readFloatLE(at + 4),
      z: bytes.readFloatLE(at + 8),
      value: read(at),
    };
  });
}

export function meanOf(cloud: ReceivedCloud): readonly [x: number, y: number] {
  const points = pointsOf(cloud);
  return [
    points.reduce((sum, { x }) => sum + x, 0) / points.length,
    points.reduce((sum, { y }) => sum + y, 0) / points.length,
  ];
}

/** −1, 0 or 100 for each cell, row by row. */
export function cellsOf({ data }: ReceivedGrid): Int8Array {
  const bytes = arrayBytes(data);
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What a grid says at a place of the base frame. */
export function cellAt(grid: ReceivedGrid, voxels: VoxelGrid, x: number, y: number): number {
  const [column, row] = [(x - voxels.min[0]) / voxels.cellSize[0], (y - voxels.min[1]) / voxels.cellSize[1]];
  return cellsOf(grid)[Math.floor(row) * grid.info.width + Math.floor(column)]!;
}

let manifest: ModelManifest | undefined;

/** Of the model that the tests run with. */
export async function testManifest(): Promise<ModelManifest> {
  if (manifest === undefined) {
    const engine = await loadEngine(modelFile());
    manifest = engine.manifest;
    engine.dispose();
  }
  return manifest;
}
