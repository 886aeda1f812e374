import type { FrameTimings, PerceptionResult } from '../perception/types.js';

/** Milliseconds of the frames of one period. */
export interface StageStatistics {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface PeriodStatistics {
  readonly seconds: number;
  /** Frames that the cameras gave. */
  readonly received: number;
  readonly processed: number;
  /** Frames whose place a newer one took, for lack of time. */
  readonly dropped: number;
  readonly failed: number;
  /** Frames in work, or waiting, when time jumped back or work ended. */
  readonly abandoned: number;
  /** By stage, and `age`: from the image's stamp to the results' way out. Empty without frames. */
  readonly stages: Readonly<Record<string, StageStatistics>>;
}

/** Counts frames and times, by period and since the start. */
export class FrameStatistics {
  readonly total = { received: 0, processed: 0, dropped: 0, failed: 0, abandoned: 0 };
  readonly #samples = new Map<string, number[]>();
  #before = { ...this.total };
  #periodStart = performance.now();
  #inWork = 0;
  #droppedInARow = 0;

  /** Frames dropped since there last was nothing to do when a frame came. */
  get droppedInARow(): number {
    return this.#droppedInARow;
  }

  received(): void {
    this.total.received++;
    if (this.#inWork === 0) this.#droppedInARow = 0;
    this.#inWork++;
  }

  dropped(): void {
    this.#inWork--;
    this.#droppedInARow++;
    this.total.dropped++;
  }

  failed(): void {
    this.#inWork--;
    this.total.failed++;
  }

  abandoned(): void {
    this.#inWork--;
    this.total.abandoned++;
  }

  /** @param ageMs undefined where there is no clock to tell it by */
  processed({ timings }: PerceptionResult, publishMs: number, ageMs: number | undefined): void {
    this.#inWork--;
    this.total.processed++;
    for (const [stage, ms] of stagesOf(timings)) this.#add(stage, ms);
    this.#add('publish', publishMs);
    if (ageMs !== undefined) this.#add('age', ageMs);
  }

  /** What happened since the last call. */
  takePeriod(): PeriodStatistics {
    const now = performance.now();
    const { total } = this;
    const since = (key: keyof typeof total): number => total[key] - this.#before[key];
    const period = {
      seconds: (now - this.#periodStart) / 1000,
      received: since('received'),
      processed: since('processed'),
      dropped: since('dropped'),
      failed: since('failed'),
      abandoned: since('abandoned'),
      stages: Object.fromEntries([...this.#samples].map(([stage, samples]) => [stage, summary(samples)])),
    };
    this.#periodStart = now;
    this.#before = { ...total };
    this.#samples.clear();
    return period;
  }

  #add(stage: string, ms: number): void {
    const samples = this.#samples.get(stage);
    if (samples === undefined) this.#samples.set(stage, [ms]);
    else samples.push(ms);
  }
}

const stagesOf = ({
  preprocess,
  modules,
  decode,
  total,
}: FrameTimings): readonly (readonly [string, number])[] => [
  ['preprocess', preprocess],
  ...Object.entries(modules),
  ['decode', decode],
  ['total', total],
];

function summary(samples: number[]): StageStatistics {
  const sorted = samples.sort((a, b) => a - b);
  const at = (fraction: number): number => sorted[Math.ceil(fraction * sorted.length) - 1]!;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1)! };
}
