import type { LidarBand, LidarScores } from '../evaluation/lidar-comparison.js';
import type { EvaluationReport } from './evaluate-dataset.js';
import type { FrameReport } from './evaluate-frame.js';

/** One file that `evaluate --json` printed. */
export type AccuracyResult =
  | { readonly kind: 'dataset'; readonly name: string; readonly report: EvaluationReport }
  | { readonly kind: 'frame'; readonly name: string; readonly report: FrameReport };

type Share = number | null | undefined;

const percent = (share: Share): string => (share == null ? '–' : (100 * share).toFixed(1));
const plain = (value: Share): string => (value == null ? '–' : value.toFixed(2));

/** The figures of several evaluations as a page. */
export function accuracyMarkdown(results: readonly AccuracyResult[]): string {
  const sections = results.map((result) =>
    result.kind === 'dataset'
      ? datasetSection(result.name, result.report)
      : frameSection(result.name, result.report),
  );
  return `${[
    '# Accuracy',
    'Made by `bdc-occ accuracy-report` from the output of `bdc-occ evaluate --json`; [evaluation.md](evaluation.md) defines every figure. ' +
      'The **constant prior** says each voxel’s most frequent class. IoU, AP, NDS, recall and precision in %.',
    ...sections,
  ].join('\n\n')}\n`;
}

function datasetSection(name: string, report: EvaluationReport): string {
  const { occ3d, all_voxels: all, ray_iou: rays, tp_errors: errors } = report;
  const columns = [report, report.prior, occ3d, occ3d.prior];
  const everywhere = [all, all.prior, occ3d.all_voxels, occ3d.all_voxels.prior];
  const size = `${report.voxel_size.toFixed(1)} m`;
  const heads = ['', `network, ${size}`, `prior, ${size}`, 'network, 0.4 m', 'prior, 0.4 m'];
  const parts = [
    `## ${name}`,
    `${report.model}, ${report.samples} samples${report.split === undefined ? '' : ` of split ${report.split}`}` +
      `${report.complete ? '' : ' (the run was interrupted)'}; ${report.latency_ms.p50.toFixed(0)} ms a frame (median), ` +
      `${report.latency_ms.p99.toFixed(0)} ms (99th percentile).`,
    table(heads, [
      ['mIoU', ...columns.map(({ miou }) => percent(miou))],
      ['occupied IoU', ...columns.map(({ occupied_iou }) => percent(occupied_iou))],
      [
        'occupied IoU above the ground',
        ...columns.map((scores) => percent(scores.occupied_iou_above_ground)),
      ],
      ['mIoU without the camera mask', ...everywhere.map(({ miou }) => percent(miou))],
      [
        'occupied IoU without the camera mask',
        ...everywhere.map(({ occupied_iou }) => percent(occupied_iou)),
      ],
    ]),
    'IoU per class:',
    table(
      heads,
      Object.keys(report.iou_per_class).map((label) => [
        label,
        ...columns.map(({ iou_per_class }) => percent(iou_per_class[label])),
      ]),
    ),
  ];
  if (rays !== undefined) {
    const row = (title: string, scores: typeof rays.camera_visible): readonly string[] => [
      title,
      ...(['1m', '2m', '4m', 'mean'] as const).map((key) => percent(scores[key])),
    ];
    parts.push(
      table(
        ['RayIoU', '1 m', '2 m', '4 m', 'mean'],
        [row('all rays', rays), row('rays that end where a camera sees', rays.camera_visible)],
      ),
    );
  }
  if (report.ap_per_class !== undefined && errors !== undefined) {
    parts.push(
      `mAP **${percent(report.map)}**, NDS **${percent(report.nds)}**; of found boxes: ATE ${plain(errors.trans_err)} m, ` +
        `ASE ${plain(errors.scale_err)}, AOE ${plain(errors.orient_err)} rad, AVE ${plain(errors.vel_err)} m/s, AAE ${plain(errors.attr_err)}.`,
      table(
        ['AP', 'mean', '0.5 m', '1 m', '2 m', '4 m', 'true boxes'],
        Object.entries(report.ap_per_class).map(([label, ap]) => {
          const { ap_per_distance, truths_per_class } = report.detection!;
          const key = label as keyof typeof truths_per_class;
          return [
            label,
            percent(ap),
            ...['0.5', '1', '2', '4'].map((distance) => percent(ap_per_distance[key][distance])),
            String(truths_per_class[key]),
          ];
        }),
      ),
    );
  }
  return parts.join('\n\n');
}

function frameSection(
  name: string,
  { model, lidar_points, voxel_size, network, prior }: FrameReport,
): string {
  const rows = (voxels: 'all' | 'above_ground'): readonly (readonly string[])[] =>
    [...network.by_range, network.total].map((band, i) => {
      const other: LidarBand | undefined = prior && [...prior.by_range, prior.total][i];
      const pair = (key: keyof LidarScores & ('recall' | 'precision')): readonly string[] => [
        percent(band[voxels][key]),
        percent(other?.[voxels][key]),
      ];
      return [
        `${band.from}–${band.to} m`,
        String(band[voxels].hit_voxels),
        ...pair('recall'),
        ...pair('precision'),
      ];
    });
  const heads = ['range', 'hit voxels', 'recall', 'prior', 'precision', 'prior'];
  return [
    `## ${name}`,
    `${model} on one real frame, against ${lidar_points} LiDAR returns, voxels of ${voxel_size.toFixed(1)} m in camera view.`,
    table(heads, rows('all')),
    'Of them at least 0.4 m above the ground:',
    table(heads, rows('above_ground')),
  ].join('\n\n');
}

/** Aligned as prettier does; all columns but the first are numbers. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, i) => Math.max(3, head.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(heads), rule, ...rows.map(line)].join('\n');
}
