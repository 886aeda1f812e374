import { Command, Option } from 'commander';
import { COMPRESSIONS } from '../bag/chunk-compression.js';
import { writeAtomically } from '../atomic-file.js';
import { BdcError } from '../errors.js';
import { checkText } from '../expectation/checks.js';
import { junitXml } from '../expectation/junit.js';
import { printJson } from './json-output.js';
import {
  commaSeparated,
  addPipelineOptions,
  jsonOption,
  modelOption,
  nonNegativeNumber,
  number,
  positiveInteger,
  THRESHOLD_MISSED,
} from './options.js';
import { replayBag, type ReplayOptions } from './replay-run.js';
import type { ReplayReport } from './replay-summary.js';

/** `bdc-occ replay BAG`: every frame of a recorded drive through the node's pipeline, into another bag, against thresholds, or both. */
export function replayCommand(): Command {
  return addPipelineOptions(
    new Command('replay')
      .description('run the network over a recorded bag; write its results into another one, or check them')
      .argument('<bag>', 'MCAP or SQLite file, or the folder of "ros2 bag record" around such files')
      .option(
        '-o, --out <file>',
        'MCAP file to write; one that is there is replaced once the new one is complete',
      )
      .option(
        '--expect <file>',
        'YAML file of thresholds; exit code 1 if one is missed (docs/replay-testing.md)',
      )
      .option('--junit <file>', 'JUnit XML file to write the verdicts on the thresholds to')
      .addOption(modelOption())
      .option('--base-frame <frame>', 'frame that voxels and boxes are expressed in', 'base_link')
      .option(
        '--odom-frame <frame>',
        'fixed frame of the transforms, for a model that keeps the previous frame',
        'odom',
      )
      .option(
        '--cameras <a,b,…>',
        'cameras to use, by the last part of their namespace (default: all)',
        commaSeparated,
      )
      .option('--anchor <camera>', 'camera whose images set the stamps (default: the one that looks ahead)')
      .option('--max-spread <ms>', 'how far the images of one frame may be apart', nonNegativeNumber, 60)
      .option('--grid-min-height <m>', 'lower end of the band of heights in the occupancy grid', number, 0.2)
      .option('--grid-max-height <m>', 'upper end of that band', number, 2)
      .option('--limit <n>', 'stop after so many frames (default: all)', positiveInteger)
      .option('--results-only', 'do not copy the topics of the bag into the output')
      .addOption(new Option('--compression <kind>', 'of the output').choices(COMPRESSIONS).default('zstd')),
  )
    .addOption(jsonOption())
    .action(async (bag: string, options: ReplayOptions) => {
      checkOptions(options);
      const start = performance.now();
      const report = await replayBag(bag, options);
      const { junit, json } = options;
      if (junit !== undefined) {
        await writeAtomically(junit, junitXml(bag, report.checks!, (performance.now() - start) / 1000));
      }
      if (json) printJson({ ...report });
      else process.stdout.write(`${formatReport(report)}\n`);
      if (report.checks?.some(({ verdict }) => verdict === 'failed')) process.exitCode = THRESHOLD_MISSED;
    });
}

function checkOptions({ out, expect, junit, gridMinHeight, gridMaxHeight }: ReplayOptions): void {
  if (out === undefined && expect === undefined) {
    throw new BdcError('configuration', {
      code: 'REPLAY_NOTHING_TO_DO',
      message: 'expected --out FILE, --expect FILE or both, found neither',
    });
  }
  if (junit !== undefined && expect === undefined) {
    throw new BdcError('configuration', {
      code: 'REPLAY_NOTHING_TO_CHECK',
      message: '--junit writes the verdicts on thresholds: expected --expect FILE with it, found none',
    });
  }
  if (gridMinHeight >= gridMaxHeight) {
    throw new BdcError('configuration', {
      code: 'REPLAY_GRID_BAND',
      message: `--grid-min-height: expected less than --grid-max-height (${gridMaxHeight}), found ${gridMinHeight}`,
    });
  }
}

export function formatReport(report: ReplayReport): string {
  const { frames, latency_ms: latency, occupied_voxels_mean: voxels, detections_mean: boxes } = report;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const parts = { preprocess: latency.preprocess, ...latency.modules, decode: latency.decode };
  return [
    `model      ${report.model}, ${report.isa}, ${report.threads} threads`,
    `cameras    ${report.cameras.join(', ')}`,
    `frames     ${frames.received} received, ${frames.processed} processed, ${frames.dropped} dropped`,
    `latency    median ${ms(latency.p50)}, 99 % below ${ms(latency.p99)}`,
    ...Object.entries(parts).map(([name, value]) => `  ${name.padEnd(17)}${ms(value).padStart(10)}`),
    ...(voxels === null ? [] : [`occupied   ${Math.round(voxels)} voxels on average`]),
    ...(boxes === null ? [] : [`boxes      ${boxes.toFixed(1)} on average`]),
    ...Object.entries(report.history_resets ?? {}).map(
      ([reason, count]) => `no history ${count} × ${reason}`,
    ),
    ...report.faults.map(({ code, count, message }) => `fault      ${count} × ${message} [${code}]`),
    ...report.warnings.map((warning) => `warning    ${warning}`),
    ...(report.out === null ? [] : [`written    ${report.out}`]),
    ...(report.checks ?? []).map((check) => `${check.verdict.padEnd(12)} ${checkText(check)}`),
  ].join('\n');
}
