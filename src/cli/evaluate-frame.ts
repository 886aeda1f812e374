import { readFrameFile } from '../dataset/frame-file.js';
import { NuscenesReader } from '../dataset/nuscenes-reader.js';
import { OCC3D_GRID } from '../dataset/occ3d.js';
import { downsampleLabels } from '../dataset/resample-labels.js';
import type { Engine } from '../engine/types.js';
import { BdcError } from '../errors.js';
import { checkedManifest, type EvaluatedManifest } from '../evaluation/evaluated-manifest.js';
import { compareWithLidar, lidarStates, type LidarBand } from '../evaluation/lidar-comparison.js';
import { OccupancyEvaluation } from '../evaluation/occupancy-evaluation.js';
import { VoxelGrid } from '../geometry/voxel-grid.js';
import { PerceptionPipeline } from '../perception/perception-pipeline.js';
import type { ImageFlags } from './options.js';

export interface FrameFlags extends ImageFlags {
  readonly frame: string;
  readonly priorData?: string;
}

/**
 * Compares a model's voxels with the LiDAR returns of one frame.
 * @throws BdcError `FRAME_WITHOUT_LIDAR`, and as `readFrameFile` and `checkedManifest` do
 */
export async function evaluateFrame(
  engine: Engine,
  { frame: path, priorData, virtualCameras, jpegHalfScale }: FrameFlags,
) {
  const manifest = checkedManifest(engine.manifest);
  const { rig, frame, points, lidarOrigin } = await readFrameFile(path);
  if (points === undefined || lidarOrigin === undefined) {
    throw new BdcError('dataset', {
      code: 'FRAME_WITHOUT_LIDAR',
      message: `${path} names no LiDAR file, which the voxels are compared with; docs/frame-file.md describes the field "lidar"`,
    });
  }
  const pipeline = new PerceptionPipeline({
    engine,
    virtualCameras,
    jpegHalfScale,
    onImageError: (_, error) => {
      throw error;
    },
  });
  await pipeline.setRig(rig);
  const { occupancy, timings } = await pipeline.process(frame);
  const { grid, labels, observed } = occupancy!;
  const states = lidarStates(grid, points, lidarOrigin);
  const { free } = manifest.occupancy;
  const compare = (classes: Uint8Array) =>
    compareWithLidar(
      grid,
      states,
      classes.map((label) => (label === free ? 0 : 1)),
      observed,
    );
  return {
    model: manifest.name,
    frame: path,
    lidar_points: points.length / 3,
    voxel_size: grid.cellSize[0],
    virtual_cameras: pipeline.view!.virtualCameras,
    latency_ms: timings.total,
    network: compare(labels),
    ...(priorData !== undefined && { prior: compare(await priorOf(priorData, manifest)) }),
  };
}

/** Each voxel's most frequent class over a data set's camera-visible voxels. */
async function priorOf(root: string, { occupancy, grid: range }: EvaluatedManifest): Promise<Uint8Array> {
  const grid = new VoxelGrid(range);
  const { classes, free } = occupancy;
  const evaluation = new OccupancyEvaluation(grid, classes.length, free);
  for await (const { labels, cameraMask } of (await NuscenesReader.open(root)).labels()) {
    const truth = { grid: OCC3D_GRID, labels, mask: cameraMask };
    const coarse = downsampleLabels(truth, grid, classes.length, free);
    evaluation.add(coarse.labels, coarse.labels, coarse.mask);
  }
  return evaluation.prior();
}

export type FrameReport = Awaited<ReturnType<typeof evaluateFrame>>;

export function formatFrameReport(report: FrameReport): string {
  const { network, prior } = report;
  const percent = (share: number | null | undefined): string =>
    (share == null ? '–' : (100 * share).toFixed(1)).padStart(10);
  const row = (band: LidarBand, other: LidarBand | undefined, voxels: 'all' | 'above_ground'): string =>
    `${`${band.from}–${band.to} m`.padEnd(12)}${String(band[voxels].hit_voxels).padStart(8)}` +
    [band, other].map((figures) => percent(figures?.[voxels].recall)).join('') +
    [band, other].map((figures) => percent(figures?.[voxels].precision)).join('');
  const block = (title: string, voxels: 'all' | 'above_ground'): readonly string[] => [
    title,
    `${''.padEnd(12)}${'hit'.padStart(8)}${['recall', 'prior', 'precision', 'prior'].map((head) => head.padStart(10)).join('')}`,
    ...[...network.by_range, network.total].map((band, i) =>
      row(band, prior && [...prior.by_range, prior.total][i], voxels),
    ),
  ];
  return [
    `${report.model} on ${report.frame}, ${report.lidar_points} LiDAR points, voxels of ${report.voxel_size.toFixed(1)} m, %`,
    ...block('all voxels in camera view', 'all'),
    ...block('of them at least 0.4 m above the ground', 'above_ground'),
  ].join('\n');
}
