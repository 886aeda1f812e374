import { SingleBar } from 'cli-progress';
import { realpath } from 'node:fs/promises';
import { completing } from '../atomic-file.js';
import { BagReader } from '../bag/bag-reader.js';
import { BagReplay } from '../bag/bag-replay.js';
import { chooseCameras, defaultAnchor, findCameras, type BagCamera } from '../bag/camera-topics.js';
import type { Compression } from '../bag/chunk-compression.js';
import type { Engine } from '../engine/types.js';
import { BdcError } from '../errors.js';
import type { RiggedFrame } from '../perception/camera-intake.js';
import { FaultLog } from '../perception/fault-log.js';
import { FrameProcessor } from '../perception/frame-processor.js';
import { PerceptionPipeline } from '../perception/perception-pipeline.js';
import type { PerceptionResult } from '../perception/types.js';
import { openEngine, type EngineFlags } from './open-engine.js';
import type { ImageFlags } from './options.js';
import { ReplayExpectation } from './replay-expectation.js';
import { ReplayOutput } from './replay-output.js';
import { ReplaySummary, type ReplayReport } from './replay-summary.js';

/** The options of the command line. */
export interface ReplayOptions extends EngineFlags, Partial<ImageFlags> {
  readonly out?: string;
  /** YAML file of thresholds. */
  readonly expect?: string;
  /** XML file to write the verdicts to. */
  readonly junit?: string;
  readonly baseFrame: string;
  /** Fixed frame of the transforms, which a network that keeps history takes the robot's motion from; default `odom`. */
  readonly odomFrame?: string;
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

/** Called with each frame and what was found in it. */
export type ResultListener = (frame: RiggedFrame, result: PerceptionResult, engine: Engine) => void;

/** @throws BdcError of kind `bag`, `model` or `configuration` */
export async function replayBag(
  path: string,
  options: ReplayOptions,
  onResult?: ResultListener,
): Promise<ReplayReport> {
  if (options.out !== undefined) await refuseSameFile(path, options.out);
  const reader = await BagReader.open(path);
  try {
    const found = findCameras(reader.topics);
    const engine = await openEngine(options);
    try {
      const { expect } = options;
      const expectation =
        expect === undefined ? undefined : await ReplayExpectation.open(expect, engine.manifest);
      return await new Replay({ reader, found, engine, options, onResult, expectation }).run();
    } finally {
      engine.dispose();
    }
  } finally {
    await reader.close();
  }
}

interface ReplayParts {
  readonly reader: BagReader;
  readonly found: readonly BagCamera[];
  readonly engine: Engine;
  readonly options: ReplayOptions;
  readonly onResult: ResultListener | undefined;
  readonly expectation: ReplayExpectation | undefined;
}

/** One run: frames from the bag through the pipeline into the output. */
class Replay {
  readonly #reader: BagReader;
  readonly #engine: Engine;
  readonly #options: ReplayOptions;
  readonly #onResult: ResultListener | undefined;
  readonly #expectation: ReplayExpectation | undefined;
  readonly #cameras: readonly BagCamera[];
  readonly #replay: BagReplay;
  readonly #pipeline: PerceptionPipeline;
  readonly #frames: FrameProcessor;
  readonly #summary: ReplaySummary;
  readonly #faults = new FaultLog();
  #failed = 0;

  constructor({ reader, found, engine, options, onResult, expectation }: ReplayParts) {
    const { cameras: max, camera_names: trained } = engine.manifest.input;
    this.#reader = reader;
    this.#engine = engine;
    this.#options = options;
    this.#onResult = onResult;
    this.#expectation = expectation;
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
      ...(engine.historyBytes > 0 && { odomFrame: options.odomFrame ?? 'odom' }),
    });
    this.#pipeline = new PerceptionPipeline({
      engine,
      jpegHalfScale: options.jpegHalfScale ?? true,
      onImageError: (camera, error) => this.#faults.add(error, camera),
      ...(options.virtualCameras && { virtualCameras: options.virtualCameras }),
    });
    this.#frames = new FrameProcessor(this.#pipeline);
    this.#summary = new ReplaySummary(engine);
  }

  async run(): Promise<ReplayReport> {
    const { out, compression, gridMinHeight: min, gridMaxHeight: max } = this.#options;
    const output =
      out === undefined
        ? undefined
        : await ReplayOutput.create(out, this.#engine.manifest, { compression, band: { min, max } });
    const bar = new SingleBar({
      format: 'replay [{bar}] {percentage} % · {frames} frames · {eta_formatted} left',
      stream: process.stderr,
      noTTYOutput: false,
      gracefulExit: false,
    });
    if (process.stderr.isTTY) bar.start(this.#reader.messageCount, 0, { frames: 0 });
    const work = async (): Promise<ReplayReport> => {
      await this.#play(output, (frames) => bar.increment(1, { frames }));
      return this.#report();
    };
    try {
      return await (output === undefined ? work() : completing(output, work));
    } finally {
      bar.stop();
    }
  }

  async #play(output: ReplayOutput | undefined, onMessage: (frames: number) => void): Promise<void> {
    const { limit = Infinity, resultsOnly } = this.#options;
    let logTime = 0n;
    for await (const { message, frames } of this.#replay.steps()) {
      if (message !== undefined) {
        ({ logTime } = message);
        if (!resultsOnly) await output?.copy(message);
        onMessage(this.#summary.processed);
      }
      for (const frame of frames) {
        const result = await this.#process(frame);
        if (result === undefined) continue;
        this.#summary.add(result);
        this.#onResult?.(frame, result, this.#engine);
        this.#expectation?.add(result);
        await output?.write(result, logTime);
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
      ...(this.#engine.historyBytes > 0 && {
        historyResets: this.#pipeline.statistics.historyResets,
      }),
      out: this.#options.out,
      expectation: this.#expectation,
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
