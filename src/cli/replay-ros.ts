import { Command } from 'commander';
import { BagReader } from '../bag/bag-reader.js';
import { writeAtomically } from '../atomic-file.js';
import { readManifest } from '../engine/model-file.js';
import { shippedModel } from '../engine/shipped-model.js';
import { checkText, verdictOf, type Check } from '../expectation/checks.js';
import { junitXml } from '../expectation/junit.js';
import { ThresholdRun } from '../expectation/threshold-run.js';
import { classNamesOf, readThresholds } from '../expectation/thresholds.js';
import { GraphReplay } from '../ros/graph-replay.js';
import { withNode } from '../ros/ros-session.js';
import { printJson } from './json-output.js';
import { jsonOption, modelOption, positiveNumber, THRESHOLD_MISSED } from './options.js';

interface ReplayRosOptions {
  readonly expect: string;
  readonly paramsFile?: string;
  readonly model?: string;
  readonly nodeName: string;
  readonly rate: number;
  readonly junit?: string;
  readonly json?: boolean;
}

/** `bdc-occ replay-ros BAG --expect FILE`: a bag through the real graph, the node's results against thresholds. */
export function replayRosCommand(): Command {
  return new Command('replay-ros')
    .description(
      'play a bag to the node on the ROS graph and check what it publishes (docs/replay-testing.md)',
    )
    .argument('<bag>', 'MCAP or SQLite file, or the folder of "ros2 bag record" around such files')
    .requiredOption('--expect <file>', 'YAML file of thresholds; exit code 1 if one is missed')
    .option('--params-file <file>', 'parameter file of the node')
    .addOption(modelOption())
    .option(
      '--node-name <name>',
      'full name of the node, as its parameter file or remapping sets it',
      '/bdc_occ',
    )
    .option('--rate <factor>', 'seconds of the bag in a second', positiveNumber, 1)
    .option('--junit <file>', 'JUnit XML file to write the verdicts on the thresholds to')
    .addOption(jsonOption())
    .action(replayOnGraph);
}

async function replayOnGraph(bag: string, options: ReplayRosOptions): Promise<void> {
  const { expect, nodeName, rate, junit, json } = options;
  const start = performance.now();
  const model = options.model ?? shippedModel();
  const manifest = await readManifest(model);
  const run = new ThresholdRun(await readThresholds(expect, classNamesOf(manifest)));
  const reader = await BagReader.open(bag);
  try {
    await withNode('bag_player', [], async (session) => {
      const nodeCommand = nodeArguments(model, options);
      const replay = new GraphReplay({ session, reader, manifest, run, rate, nodeName, nodeCommand });
      const figures = await replay.run();
      const checks = run.checks({ ...figures, faults: undefined, warnings: reader.warnings.length });
      if (junit !== undefined)
        await writeAtomically(junit, junitXml(bag, checks, (performance.now() - start) / 1000));
      if (json) printJson({ ...figures, checks: checks.map(withVerdict) });
      else process.stdout.write(`${format(figures, checks)}\n`);
      if (checks.some((check) => verdictOf(check) === 'failed')) process.exitCode = THRESHOLD_MISSED;
    });
  } finally {
    await reader.close();
  }
}

function nodeArguments(model: string, { paramsFile, nodeName }: ReplayRosOptions): readonly string[] {
  const [, namespace, name] = /^(.*)\/([^/]+)$/.exec(nodeName) ?? ['', '', nodeName];
  return [
    ...['node', '--ros-args', '-r', `__node:=${name}`],
    ...(namespace ? ['-r', `__ns:=${namespace}`] : []),
    ...(paramsFile === undefined ? [] : ['--params-file', paramsFile]),
    ...['-p', 'use_sim_time:=true', '-p', `model:=${model}`],
  ];
}

const withVerdict = (check: Check) => ({ ...check, verdict: verdictOf(check) });

function format(
  { frames, latency_ms: latency }: Awaited<ReturnType<GraphReplay['run']>>,
  checks: readonly Check[],
): string {
  return [
    `frames     ${frames.received} sent, ${frames.processed} came back, ${frames.dropped} dropped`,
    `latency    median ${latency.p50.toFixed(1)} ms, 99 % below ${latency.p99.toFixed(1)} ms, from image to result`,
    ...checks.map((check) => `${verdictOf(check).padEnd(12)} ${checkText(check)}`),
  ].join('\n');
}
