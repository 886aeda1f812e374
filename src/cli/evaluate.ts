import { SingleBar } from 'cli-progress';
import { Command } from 'commander';

import { NuscenesReader } from '../dataset/nuscenes-reader.js';
import { OCC3D_GRID } from '../dataset/occ3d.js';
import type { Engine } from '../engine/types.js';
import { OccupancyEvaluation, type OccupancyScores } from '../evaluation/occupancy-evaluation.js';
import { downsampleLabels, upsampleLabels } from '../dataset/resample-labels.js';
import { VoxelGrid } from '../geometry/voxel-grid.js';
import { PerceptionPipeline } from '../perception/perception-pipeline.js';
import { printJson } from './json-output.js';
import { isaOption, jsonOption, modelOption, positiveInteger, threadsOption } from './options.js';
import { occupancyManifest } from './occupancy-manifest.js';
import { openEngine, type EngineFlags } from './open-engine.js';
import { quantile } from './quantile.js';

interface EvaluateOptions extends EngineFlags {
  readonly data: string;
  readonly tables?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

/** `bdc-occ evaluate --data ROOT`: how well a model predicts a data set's occupancy. */
export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('mIoU of a model over a data set in nuScenes + Occ3D layout, beside the constant prior')
    .requiredOption('-d, --data <folder>', 'data set: tables in v1.0-…/, images, Occ3D labels in gts/')
    .option('--tables <version>', 'folder of the tables, where there are several')
    .addOption(modelOption())
    .option('--limit <n>', 'only the first n samples (default: all)', positiveInteger)
    .addOption(threadsOption())
    .addOption(isaOption())
    .addOption(jsonOption())
    .action(async (options: EvaluateOptions) => {
      const engine = await openEngine(options);
      try {
        const report = await evaluate(engine, options);
        if (options.json) printJson({ ...report });
        else process.stdout.write(`${formatReport(report, engine)}\n`);
      } finally {
        engine.dispose();
      }
    });
}

async function evaluate(engine: Engine, { data, tables, limit = Infinity }: EvaluateOptions) {
  const { input, grid, occupancy, name } = occupancyManifest(engine.manifest);
  const { free, classes } = occupancy;
  const own = new OccupancyEvaluation(new VoxelGrid(grid), classes.length, free);
  const occ3d = new OccupancyEvaluation(OCC3D_GRID, classes.length, free);
  const latencies: number[] = [];
  const reader = await NuscenesReader.open(data, tables === undefined ? {} : { version: tables });
  const pipeline = new PerceptionPipeline({ engine });
  const bar = new SingleBar({
    format: 'evaluate [{bar}] {value}/{total} · {eta_formatted} left',
    stream: process.stderr,
  });
  if (process.stderr.isTTY) bar.start(Math.min(limit, reader.sampleCount), 0);
  for await (const { rig, frame, labels, cameraMask } of reader.samples(input.camera_names)) {
    if (latencies.length >= limit) break;
    await pipeline.setRig(rig);
    const result = await pipeline.process(frame);
    const predicted = result.occupancy!.labels;
    const truth = { grid: OCC3D_GRID, labels, mask: cameraMask };
    const coarse = downsampleLabels(truth, own.grid, classes.length, free);
    own.add(predicted, coarse.labels, coarse.mask);
    occ3d.add(upsampleLabels(predicted, own.grid, OCC3D_GRID), labels, cameraMask);
    latencies.push(result.timings.total);
    bar.increment();
  }
  bar.stop();
  return {
    model: name,
    data,
    samples: latencies.length,
    /** On the model's own grid. */
    ...own.scores(),
    prior: own.priorScores(),
    /** Predictions repeated on Occ3D's 0.4 m grid. */
    occ3d: { ...occ3d.scores(), prior: occ3d.priorScores() },
    latency_ms: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
  };
}

type EvaluateReport = Awaited<ReturnType<typeof evaluate>>;

function formatReport(report: EvaluateReport, { manifest: { occupancy, grid } }: Engine): string {
  const percent = (value: number | null | undefined): string =>
    (value == null ? '–' : (100 * value).toFixed(1)).padStart(8);
  const row = (name: string, ...values: readonly (number | null | undefined)[]): string =>
    `${name.padEnd(24)}${values.map(percent).join('')}`;
  const { occ3d } = report;
  const scores: readonly OccupancyScores[] = [report, report.prior, occ3d, occ3d.prior];
  const cell = new VoxelGrid(grid).cellSize[0].toFixed(1);
  return [
    `${report.model} on ${report.samples} samples of ${report.data}, ${report.latency_ms.p50.toFixed(0)} ms a frame`,
    `${'%'.padEnd(24)}${[`${cell} m`, 'prior', '0.4 m', 'prior'].map((head) => head.padStart(8)).join('')}`,
    row('mIoU', ...scores.map(({ miou }) => miou)),
    row('occupied IoU', ...scores.map(({ occupied_iou }) => occupied_iou)),
    ...occupancy!.classes.flatMap(({ name }, index) =>
      index === occupancy!.free
        ? []
        : [row(`  ${name}`, ...scores.map(({ iou_per_class }) => iou_per_class[index]))],
    ),
  ].join('\n');
}
