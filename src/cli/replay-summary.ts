import type { ModuleName } from '../engine/manifest.js';
import type { Engine } from '../engine/types.js';
import { countOccupiedVoxels } from '../messages/occupied-voxels-cloud.js';
import type { FaultCount } from '../perception/fault-log.js';
import type { FrameTimings, PerceptionResult } from '../perception/types.js';
import { verdictOf, type Check, type Verdict } from '../expectation/checks.js';
import type { ReplayExpectation } from './replay-expectation.js';
import { quantile } from './quantile.js';

/** What `replay --json` prints. Times are milliseconds; those of the parts are medians. */
export interface ReplayReport {
  readonly model: string;
  readonly isa: string;
  readonly threads: number;
  readonly cameras: readonly string[];
  readonly frames: { readonly received: number; readonly processed: number; readonly dropped: number };
  readonly latency_ms: {
    readonly p50: number;
    readonly p99: number;
    readonly modules: Readonly<Record<ModuleName, number>>;
    readonly preprocess: number;
    readonly decode: number;
  };
  /** Null if the model has no such head. */
  readonly occupied_voxels_mean: number | null;
  readonly detections_mean: number | null;
  /** Of a network that keeps the previous frame's features: frames that did without, by reason. */
  readonly history_resets?: Readonly<Record<string, number>>;
  readonly faults: readonly FaultCount[];
  readonly warnings: readonly string[];
  /** Null if only thresholds were checked. */
  readonly out: string | null;
  /** With `--expect`. */
  readonly checks?: readonly (Check & { readonly verdict: Verdict })[];
}

const MODULES: readonly ModuleName[] = ['image_encoder', 'view_transformer', 'bev_encoder', 'heads'];

/** Collects figures of the results of one replay. */
export class ReplaySummary {
  readonly #engine: Engine;
  readonly #timings: FrameTimings[] = [];
  readonly #occupied: number[] = [];
  readonly #detections: number[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get processed(): number {
    return this.#timings.length;
  }

  add(result: PerceptionResult): void {
    const { occupancy } = this.#engine.manifest;
    this.#timings.push(result.timings);
    if (occupancy) this.#occupied.push(countOccupiedVoxels(result, occupancy.free));
    if (result.detections) this.#detections.push(result.detections.length);
  }

  report(replay: {
    readonly cameras: readonly string[];
    readonly dropped: number;
    readonly faults: readonly FaultCount[];
    readonly warnings: readonly string[];
    readonly historyResets?: Readonly<Record<string, number>>;
    readonly out: string | undefined;
    readonly expectation: ReplayExpectation | undefined;
  }): ReplayReport {
    const { cameras, dropped, faults, warnings, historyResets, out, expectation } = replay;
    const { manifest, isa, threads } = this.#engine;
    const part = (select: (timings: FrameTimings) => number): number =>
      quantile(this.#timings.map(select), 0.5);
    const totals = this.#timings.map(({ total }) => total);
    const frames = { received: this.processed + dropped, processed: this.processed, dropped };
    const latency = { p50: quantile(totals, 0.5), p99: quantile(totals, 0.99) };
    const checks = expectation?.checks({
      frames,
      latency_ms: { ...latency, max: quantile(totals, 1) },
      faults: faults.reduce((sum, { count }) => sum + count, 0),
      warnings: warnings.length,
    });
    const modules = MODULES.map((name) => [name, part((timings) => timings.modules[name])] as const);
    return {
      model: manifest.name,
      isa,
      threads,
      cameras,
      frames,
      latency_ms: {
        ...latency,
        modules: Object.fromEntries(modules) as Record<ModuleName, number>,
        preprocess: part(({ preprocess }) => preprocess),
        decode: part(({ decode }) => decode),
      },
      occupied_voxels_mean: mean(this.#occupied),
      detections_mean: mean(this.#detections),
      ...(historyResets && { history_resets: historyResets }),
      faults,
      warnings,
      out: out ?? null,
      ...(checks && { checks: checks.map((check) => ({ ...check, verdict: verdictOf(check) })) }),
    };
  }
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
