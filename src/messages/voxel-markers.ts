import type { PerceptionResult } from '../perception/types.js';
import { CUBE_LIST, marker } from './marker.js';
import { requireOccupancy, shownLabels, type OccupancyLabels } from './occupied-voxels-cloud.js';
import type { ColorRGBA, MarkerArray, Point } from './ros-types.js';
import { timeFromNs } from './stamp.js';

/**
 * The occupied voxels as one list of cubes, which takes the place of the one before. RViz draws tens of thousands of cubes slowly: a point
 * cloud shows the same and costs a tenth.
 *
 * @param only the classes that are wanted; default: all
 */
export function voxelMarkers(
  result: PerceptionResult,
  { classes, free }: OccupancyLabels,
  only?: ReadonlySet<number>,
): MarkerArray {
  const { grid, labels, observed } = requireOccupancy(result);
  const isShown = shownLabels(classes.length, free, only);
  const palette = classes.map(({ color: [r, g, b] }): ColorRGBA => ({
    r: r / 255,
    g: g / 255,
    b: b / 255,
    a: 1,
  }));
  const points: Point[] = [];
  const colors: ColorRGBA[] = [];
  const [nx, ny, nz] = grid.shape;
  let index = 0;
  for (let i = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++) {
      for (let k = 0; k < nz; k++, index++) {
        const label = labels[index]!;
        if (observed[index] !== 1 || isShown[label] === 0) continue;
        const [x, y, z] = grid.center(i, j, k);
        points.push({ x, y, z });
        colors.push(palette[label]!);
      }
    }
  }
  const [x, y, z] = grid.cellSize;
  const header = { stamp: timeFromNs(result.stamp), frame_id: result.frameId };
  return { markers: [marker(header, { ns: 'voxels', type: CUBE_LIST, scale: { x, y, z }, points, colors })] };
}
