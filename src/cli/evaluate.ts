import { Command, Option } from 'commander';

import { evaluateDataset, type DatasetFlags } from './evaluate-dataset.js';
import { evaluateFrame, formatFrameReport, type FrameFlags } from './evaluate-frame.js';
import { formatReport } from './evaluation-report.js';
import { printJson } from './json-output.js';
import { openEngine, type EngineFlags } from './open-engine.js';
import { addPipelineOptions, jsonOption, modelOption, positiveInteger, score } from './options.js';

type EvaluateOptions = EngineFlags & (DatasetFlags | FrameFlags) & { readonly json?: boolean };

/** Options that say nothing of a single frame. */
const OF_DATA_SETS = [
  'data',
  'tables',
  'split',
  'limit',
  'scoreThreshold',
  'rayIou',
  'writeBoxes',
  'writeOccupancy',
  'pictures',
  'out',
];

/** `bdc-occ evaluate --data ROOT` or `--frame FILE`: how well a model predicts a data set, or what LiDAR measured. */
export function evaluateCommand(): Command {
  return addPipelineOptions(
    new Command('evaluate')
      .description(
        'mIoU, RayIoU, mAP and NDS of a model over a data set in nuScenes + Occ3D layout, beside the constant prior (docs/evaluation.md)',
      )
      .option('-d, --data <folder>', 'data set: tables in v1.0-…/, images, Occ3D labels in gts/')
      .addOption(
        new Option(
          '--frame <file>',
          'instead of a data set: one set of images with LiDAR (docs/frame-file.md)',
        ).conflicts(OF_DATA_SETS),
      )
      .addOption(
        new Option(
          '--prior-data <folder>',
          'with --frame: data set that the constant prior is taken from',
        ).conflicts('data'),
      )
      .option('--tables <version>', 'folder of the tables, where there are several')
      .option(
        '--split <name>',
        'of nuScenes (val, mini_val, …) or of splits.json beside the tables (default: all)',
      )
      .addOption(modelOption())
      .option('--limit <n>', 'only the first n samples (default: all)', positiveInteger)
      .option(
        '--score-threshold <s>',
        "boxes below count nowhere; AP is over the whole curve, so it isn't the model's threshold",
        score,
        0.01,
      )
      .option('--no-ray-iou', 'leave RayIoU out')
      .option('--write-boxes <file>', 'write the boxes as nuScenes takes them (results_nusc.json)')
      .option('--write-occupancy <folder>', 'write the voxels as Occ3D takes them (<sample token>.npz)')
      .option('--pictures <n>', 'draw n samples and the charts of the figures', positiveInteger)
      .option('-o, --out <folder>', 'folder for the pictures', 'out/evaluation'),
  )
    .addOption(jsonOption())
    .action(async (options: EvaluateOptions, command: Command) => {
      if ('frame' in options) return print(options, evaluateFrame, formatFrameReport);
      if (options.data === undefined) {
        command.error("error: required option '-d, --data <folder>' or '--frame <file>' not specified");
      }
      return print(options, evaluateDataset, formatReport);
    });
}

async function print<
  Flags extends EngineFlags & { readonly json?: boolean },
  Report extends Readonly<Record<string, unknown>>,
>(
  flags: Flags,
  evaluate: (engine: Awaited<ReturnType<typeof openEngine>>, flags: Flags) => Promise<Report>,
  format: (report: Report) => string,
): Promise<void> {
  const engine = await openEngine(flags);
  try {
    const report = await evaluate(engine, flags);
    if (flags.json) printJson(report);
    else process.stdout.write(`${format(report)}\n`);
  } finally {
    engine.dispose();
  }
}
