import { SingleBar } from 'cli-progress';
import { Command, Option } from 'commander';
import { realpath } from 'node:fs/promises';
import { BagReader } from '../bag/bag-reader.js';
import { BagReplay } from '../bag/bag-replay.js';
import { chooseCameras, defaultAnchor, findCameras, type BagCamera } from '../bag/camera-topics.js';
import { COMPRESSIONS, type Compression } from '../bag/chunk-compression.js';
import type { Engine } from '../engine/types.js';
import { BdcError } from '../errors.js';
import type { RiggedFrame } from '../perception/camera-intake.js';
import { FaultLog } from '../perception/fault-log.js';
import { FrameProcessor } from '../perception/frame-processor.js';
import { PerceptionPipeline } from '../perception/perception-pipeline.js';
import type { PerceptionResult } from '../perception/types.js';
import { printJson } from './json-output.js';
import {
  commaSeparated,
  isaOption,
  jsonOption,
  modelOption,
  number,
  positiveInteger,
  threadsOption,
} from './options.js';
import { openEngine, type EngineFlags } from './open-engine.js';
import { ReplayOutput } from './replay-output.js';
import { ReplaySummary, type ReplayReport } from './replay-summary.js';

/** The options of the command line. */
export interface ReplayOptions extends EngineFlags {
  readonly out: string;
  readonly baseFrame: string;
  readonly anchor?: string;
  readonly cameras?: readonly string[];
  readonly maxSpread: number;
  readonly gridMinHeight: number;
  readonly gridMaxHeight: number;
  readonly limit?: number;
  readonly resultsOnly?: boolean;
  readonly compression: Compression;
  readonly json?: boolean;
}

/** `bdc-occ replay BAG --out OUT.mcap`: every frame of a recorded drive through the node's pipeline. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('run the network over a recorded bag and write its results into another one')
    .argument('<bag>', 'MCAP file, or the folder of "ros2 bag record" with one in it')
    .requiredOption('-o, --out <file>', 'MCAP file to write; replaced if it is there')
    .addOption(modelOption())
    .option('--base-frame <frame>', 'frame that voxels and boxes are expressed in', 'base_link')
    .option(
      '--cameras <a,b,…>',
      'cameras to use, by the last part of their namespace (default: all)',
      commaSeparated,
    )
    .option('--anchor <camera>', 'camera whose images set the stamps (default: the one that looks ahead)')
    .option('--max-spread <ms>', 'how far the images of one frame may be apart', number, 60)
    .option('--grid-min-height <m>', 'lower end of the band of heights in the occupancy grid', number, 0.2)
    .option('--grid-max-height <m>', 'upper end of that band', number, 2)
    .option('--limit <n>', 'stop after so many frames (default: all)', positiveInteger)
    .option('--results-only', 'do not copy the topics of the bag into the output')
    .addOption(new Option('--compression <kind>', 'of the output').choices(COMPRESSIONS).default('zstd'))
    .addOption(threadsOption())
    .addOption(isaOption())
    .addOption(jsonOption())
    .action(async (bag: string, options: ReplayOptions) => {
      const report = await replayBag(bag, options);
      if (options.json) printJson({ ...report });
      else process.stdout.write(`${formatReport(report)}\n`);
    });
}

/** Called with each frame and what was found in it. */
export type ResultListener = (frame: RiggedFrame, result: PerceptionResult, engine: Engine) => void;

/** @throws BdcError of kind `bag`, `model` or `configuration` */
export async function replayBag(
  path: string,
  options: ReplayOptions,
  onResult?: ResultListener,
): Promise<ReplayReport> {
  await refuseSameFile(path, options.out);
  const reader = await BagReader.open(path);
  try {
    const found = findCameras(reader.topics);
    const engine = await openEngine(options);
    try {
      return await new Replay(reader, found, engine, options, onResult).run();
    } finally {
      engine.dispose();
    }
  } finally {
    await reader.close();
  }
}

/** One run: frames from the bag through the pipeline into the output. */
class Replay {
  readonly #reader: BagReader;
  readonly #engine: Engine;
  readonly #options: ReplayOptions;
  readonly #onResult: ResultListener | undefined;
  readonly #cameras: readonly BagCamera[];
  readonly #replay: BagReplay;
  readonly #frames: FrameProcessor;
  readonly #summary: ReplaySummary;
  readonly #faults = new FaultLog();
  #failed = 0;

  constructor(
    reader: BagReader,
    found: readonly BagCamera[],
    engine: Engine,
    options: ReplayOptions,
    onResult?: ResultListener,
  ) {
    const { cameras: max, camera_names: trained } = engine.manifest.input;
    this.#reader = reader;
    this.#engine = engine;
    this.#options = options;
    this.#onResult = onResult;
    this.#cameras = chooseCameras(found, {
      ...(options.cameras && { requested: options.cameras }),
      trained,
      max,
    });
    this.#replay = new BagReplay({
      reader,
      cameras: this.#cameras,
      anchor: this.#anchor(),
      baseFrame: options.baseFrame,
      maxSpreadMs: options.maxSpread,
    });
    this.#frames = new FrameProcessor(
      new PerceptionPipeline({
        engine,
        onImageError: (camera, error) => this.#faults.add(error, camera),
      }),
    );
    this.#summary = new ReplaySummary(engine);
  }

  async run(): Promise<ReplayReport> {
    const { out, compression, gridMinHeight: min, gridMaxHeight: max } = this.#options;
    const output = await ReplayOutput.create(out, this.#engine.manifest, { compression, band: { min, max } });
    const bar = new SingleBar({
      format: 'replay [{bar}] {percentage} % · {frames} frames · {eta_formatted} left',
      stream: process.stderr,
      noTTYOutput: false,
    });
    if (process.stderr.isTTY) bar.start(this.#reader.messageCount, 0, { frames: 0 });
    try {
      await this.#play(output, (frames) => bar.increment(1, { frames }));
    } finally {
      bar.stop();
      await output.close();
    }
    return this.#report();
  }

  async #play(output: ReplayOutput, onMessage: (frames: number) => void): Promise<void> {
    const { limit = Infinity, resultsOnly } = this.#options;
    let logTime = 0n;
    for await (const { message, frames } of this.#replay.steps()) {
      if (message !== undefined) {
        ({ logTime } = message);
        if (!resultsOnly) await output.copy(message);
        onMessage(this.#summary.processed);
      }
      for (const frame of frames) {
        const result = await this.#process(frame);
        if (result === undefined) continue;
        this.#summary.add(result);
        this.#onResult?.(frame, result, this.#engine);
        await output.write(result, logTime);
        if (this.#summary.processed >= limit) return;
      }
    }
  }

  /** Undefined if the frame cannot be used; that is counted. */
  async #process(frame: RiggedFrame): Promise<PerceptionResult | undefined> {
    try {
      return (await this.#frames.process(frame))?.result;
    } catch (error) {
      if (!(error instanceof BdcError) || error.kind !== 'camera') throw error;
      this.#failed++;
      this.#faults.add(error);
      return undefined;
    }
  }

  #anchor(): string {
    const { anchor } = this.#options;
    const names = this.#cameras.map(({ name }) => name);
    if (anchor === undefined) return defaultAnchor(this.#cameras);
    if (names.includes(anchor)) return anchor;
    throw new BdcError('configuration', {
      code: 'ANCHOR_UNKNOWN',
      message: `--anchor must be one of the cameras ${names.join(', ')}, found "${anchor}"`,
    });
  }

  #report(): ReplayReport {
    const { droppedFrames, faults: intakeFaults } = this.#replay.statistics;
    const faults = [...intakeFaults, ...this.#faults.counts];
    const dropped = droppedFrames + this.#failed;
    if (this.#summary.processed === 0) {
      const why = faults.map(({ count, message }) => `${count} × ${message}`);
      throw new BdcError('bag', {
        code: 'REPLAY_NO_FRAMES',
        message: `no frame could be made of the bag (${dropped} dropped): ${why.join('; ') || `no image of ${this.#anchor()}`}`,
      });
    }
    return this.#summary.report({
      cameras: this.#cameras.map(({ name }) => name),
      dropped,
      faults,
      warnings: this.#reader.warnings,
      out: this.#options.out,
    });
  }
}

async function refuseSameFile(bag: string, out: string): Promise<void> {
  const [input, output] = await Promise.all([bag, out].map((path) => realpath(path).catch(() => path)));
  if (input !== output) return;
  throw new BdcError('configuration', {
    code: 'REPLAY_SAME_FILE',
    message: `the output must be another file than the bag, found ${bag} for both`,
  });
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
    ...report.faults.map(({ code, count, message }) => `fault      ${count} × ${message} [${code}]`),
    ...report.warnings.map((warning) => `warning    ${warning}`),
    `written    ${report.out}`,
  ].join('\n');
}
