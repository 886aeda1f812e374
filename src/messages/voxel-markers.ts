import { CdrWriter } from '@foxglove/cdr';
import type { PerceptionResult } from '../perception/types.js';
import { CUBE_LIST } from './marker.js';
import {
  columnCentres,
  requireOccupancy,
  shownVoxels,
  type OccupancyLabels,
} from './occupied-voxels-cloud.js';
import { timeFromNs } from './stamp.js';

/** More than everything in the message that is not a point or a colour. */
const SPARE_BYTES = 512;

/**
 * The occupied voxels as one list of cubes, which takes the place of the one before. RViz draws tens of thousands of cubes slowly: a point
 * cloud shows the same and costs a tenth.
 *
 * Written field by field, since the codec keeps the event loop for 20 ms with so many points: a sequence of geometry_msgs/Point has the
 * bytes of an array of float64, one of std_msgs/ColorRGBA those of an array of float32.
 *
 * @param only the classes that are wanted; default: all
 * @returns a visualization_msgs/MarkerArray as CDR
 */
export function voxelMarkers(
  result: PerceptionResult,
  labels: OccupancyLabels,
  only?: ReadonlySet<number>,
): Uint8Array {
  const { grid } = requireOccupancy(result);
  const { points, colors, count } = cubes(result, labels, only);
  const { sec, nanosec } = timeFromNs(result.stamp);
  const writer = new CdrWriter({ size: SPARE_BYTES + points.byteLength + colors.byteLength });
  writer.sequenceLength(1);
  writer.int32(sec).uint32(nanosec).string(result.frameId).string('voxels');
  // id, type, action: add
  writer.int32(0).int32(CUBE_LIST).int32(0);
  // pose: position, orientation; scale; color
  writer
    .float64Array([0, 0, 0, 0, 0, 0, 1])
    .float64Array([...grid.cellSize])
    .float32Array([0, 0, 0, 0]);
  // lifetime: for ever; frame_locked
  writer.int32(0).uint32(0).uint8(0);
  writer.sequenceLength(count).float64Array(points);
  writer.sequenceLength(count).float32Array(colors);
  // texture_resource, texture, uv_coordinates
  writer.string('').int32(0).uint32(0).string('').string('').sequenceLength(0).sequenceLength(0);
  // text, mesh_resource, mesh_file, mesh_use_embedded_materials
  writer.string('').string('').string('').sequenceLength(0).uint8(0);
  return writer.data;
}

/** x, y, z of each cube in metres, and r, g, b, a from 0 to 1. */
function cubes(
  result: PerceptionResult,
  occupancyLabels: OccupancyLabels,
  only: ReadonlySet<number> | undefined,
): { readonly points: Float64Array; readonly colors: Float32Array; readonly count: number } {
  const { grid, labels } = requireOccupancy(result);
  const voxels = shownVoxels(result, occupancyLabels, only);
  const palette = occupancyLabels.classes.map(({ color: [r, g, b] }) => [r / 255, g / 255, b / 255] as const);
  const { x, y, z } = columnCentres(grid);
  const nz = z.length;
  const points = new Float64Array(3 * voxels.length);
  const colors = new Float32Array(4 * voxels.length).fill(1);
  for (let n = 0; n < voxels.length; n++) {
    const index = voxels[n]!;
    const column = Math.floor(index / nz);
    points[3 * n] = x[column]!;
    points[3 * n + 1] = y[column]!;
    points[3 * n + 2] = z[index - column * nz]!;
    const [r, g, b] = palette[labels[index]!]!;
    colors[4 * n] = r;
    colors[4 * n + 1] = g;
    colors[4 * n + 2] = b;
  }
  return { points, colors, count: voxels.length };
}
