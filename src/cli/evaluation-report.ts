import type { EvaluationReport } from './evaluate-dataset.js';

type Share = number | null | undefined;

const percent = (value: Share): string => (value == null ? '–' : (100 * value).toFixed(1)).padStart(9);
const row = (name: string, ...values: readonly Share[]): string =>
  `${name.padEnd(26)}${values.map(percent).join('')}`;

/** The figures as a table for a terminal. */
export function formatReport(report: EvaluationReport): string {
  const { occ3d, ray_iou: rays, tp_errors: errors } = report;
  const columns = [report, report.prior, occ3d, occ3d.prior];
  const everywhere = [report.all_voxels, report.all_voxels.prior, occ3d.all_voxels, occ3d.all_voxels.prior];
  const heads = [`${report.voxel_size.toFixed(1)} m`, 'prior', '0.4 m', 'prior'];
  return [
    `${report.model} on ${report.samples} samples of ${report.data}` +
      `${report.complete ? '' : ' (interrupted)'}, ${report.latency_ms.p50.toFixed(0)} ms a frame`,
    `${'%'.padEnd(26)}${heads.map((head) => head.padStart(9)).join('')}`,
    row('mIoU', ...columns.map(({ miou }) => miou)),
    row('occupied IoU', ...columns.map(({ occupied_iou }) => occupied_iou)),
    row('  above the ground', ...columns.map((scores) => scores.occupied_iou_above_ground)),
    ...Object.keys(report.iou_per_class).map((name) =>
      row(`  ${name}`, ...columns.map(({ iou_per_class }) => iou_per_class[name])),
    ),
    'without the camera mask',
    row('  mIoU', ...everywhere.map(({ miou }) => miou)),
    row('  occupied IoU', ...everywhere.map(({ occupied_iou }) => occupied_iou)),
    ...(rays === undefined
      ? []
      : [
          `${'RayIoU %'.padEnd(26)}${['1 m', '2 m', '4 m', 'mean'].map((head) => head.padStart(9)).join('')}`,
          row('  all rays', rays['1m'], rays['2m'], rays['4m'], rays.mean),
          row(
            '  camera-visible ends',
            ...(['1m', '2m', '4m', 'mean'] as const).map((key) => rays.camera_visible[key]),
          ),
        ]),
    ...(report.ap_per_class === undefined || errors === undefined
      ? []
      : [
          row('mAP', report.map),
          row('NDS', report.nds),
          ...Object.entries(report.ap_per_class).map(([name, ap]) => row(`  ${name}`, ap)),
          `errors of found boxes: ${errors.trans_err.toFixed(2)} m, 1 − IoU ${errors.scale_err.toFixed(2)}, ` +
            `${errors.orient_err.toFixed(2)} rad, ${errors.vel_err.toFixed(2)} m/s, attributes ${errors.attr_err.toFixed(2)}`,
        ]),
    ...report.pictures.map((path) => `picture  ${path}`),
  ].join('\n');
}
