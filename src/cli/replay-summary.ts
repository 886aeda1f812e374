import type { ModuleName } from '../engine/manifest.js';
import type { Engine } from '../engine/types.js';
import { countOccupiedVoxels } from '../messages/occupied-voxels-cloud.js';
import type { FaultCount } from '../perception/fault-log.js';
import type { FrameTimings, PerceptionResult } from '../perception/types.js';
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
  readonly faults: readonly FaultCount[];
  readonly warnings: readonly string[];
  readonly out: string;
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
    readonly out: string;
  }): ReplayReport {
    const { cameras, dropped, faults, warnings, out } = replay;
    const { manifest, isa, threads } = this.#engine;
    const part = (select: (timings: FrameTimings) => number): number =>
      quantile(this.#timings.map(select), 0.5);
    const modules = MODULES.map((name) => [name, part((timings) => timings.modules[name])] as const);
    return {
      model: manifest.name,
      isa,
      threads,
      cameras,
      frames: { received: this.processed + dropped, processed: this.processed, dropped },
      latency_ms: {
        p50: part(({ total }) => total),
        p99: quantile(
          this.#timings.map(({ total }) => total),
          0.99,
        ),
        modules: Object.fromEntries(modules) as Record<ModuleName, number>,
        preprocess: part(({ preprocess }) => preprocess),
        decode: part(({ decode }) => decode),
      },
      occupied_voxels_mean: mean(this.#occupied),
      detections_mean: mean(this.#detections),
      faults,
      warnings,
      out,
    };
  }
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
