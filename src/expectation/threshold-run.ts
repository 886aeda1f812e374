import type { Check } from './checks.js';
import type { CountRanges, Interval, Range, Region, Thresholds } from './thresholds.js';

/** What was found in one frame, in the base frame. */
export interface FrameObservation {
  /** Since the first frame of the run. */
  readonly seconds: number;
  readonly voxels: readonly Located[];
  readonly detections: readonly Located[];
}

/** Centre of a voxel or a box, in metres. */
export interface Located {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** Name of its class. */
  readonly class: string;
}

/** Figures of a whole run; undefined ones cannot be measured in this way of running. */
export interface RunFigures {
  readonly frames: { readonly received: number; readonly processed: number; readonly dropped: number };
  readonly latency_ms: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly faults: number | undefined;
  readonly warnings: number;
}

/** Takes the frames of a run one by one and says in the end which thresholds were kept. Holds counts, not frames. */
export class ThresholdRun {
  readonly #thresholds: Thresholds;
  readonly #voxels = new FrameCounts();
  readonly #detections = new FrameCounts();
  readonly #regions: readonly RegionCounts[];

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds;
    this.#regions = (thresholds.regions ?? []).map((region) => new RegionCounts(region));
  }

  add(frame: FrameObservation): void {
    this.#voxels.add(frame.voxels.length);
    this.#detections.add(frame.detections.length);
    for (const region of this.#regions) region.add(frame);
  }

  checks({ frames, latency_ms: latency, faults, warnings }: RunFigures): readonly Check[] {
    const wanted = this.#thresholds;
    const share = frames.received === 0 ? NaN : frames.dropped / frames.received;
    return [
      ...named('frames', wanted.frames, { ...frames, dropped_share: share }),
      ...named('latency_ms', wanted.latency_ms, latency),
      ...one('faults', wanted.faults, faults),
      ...one('warnings', wanted.warnings, warnings),
      ...this.#voxels.checks('occupied_voxels', wanted.occupied_voxels),
      ...this.#detections.checks('detections', wanted.detections),
      ...this.#regions.flatMap((region) => region.checks()),
    ];
  }
}

class RegionCounts {
  readonly #region: Region;
  readonly #voxels = new FrameCounts();
  readonly #detections = new FrameCounts();

  constructor(region: Region) {
    this.#region = region;
  }

  add({ seconds, voxels, detections }: FrameObservation): void {
    if (!isIn(this.#region.seconds, seconds)) return;
    this.#voxels.add(voxels.filter((voxel) => this.#holds(voxel)).length);
    this.#detections.add(detections.filter((box) => this.#holds(box)).length);
  }

  checks(): readonly Check[] {
    const { name, occupied_voxels, frames_with_voxels, detections, frames_with_detections } = this.#region;
    const at = `region ${name}: `;
    return [
      ...this.#voxels.checks(`${at}occupied_voxels`, occupied_voxels),
      ...one(`${at}frames_with_voxels`, frames_with_voxels, this.#voxels.shareWithAny),
      ...this.#detections.checks(`${at}detections`, detections),
      ...one(`${at}frames_with_detections`, frames_with_detections, this.#detections.shareWithAny),
    ];
  }

  #holds(located: Located): boolean {
    const { x, y, z, classes } = this.#region;
    return (
      isIn(x, located.x) &&
      isIn(y, located.y) &&
      isIn(z, located.z) &&
      (classes === undefined || classes.includes(located.class))
    );
  }
}

/** A count of each frame. */
class FrameCounts {
  #frames = 0;
  #framesWithAny = 0;
  #sum = 0;
  #min = NaN;
  #max = NaN;

  add(count: number): void {
    this.#min = this.#frames === 0 ? count : Math.min(this.#min, count);
    this.#max = this.#frames === 0 ? count : Math.max(this.#max, count);
    this.#frames++;
    this.#sum += count;
    if (count > 0) this.#framesWithAny++;
  }

  /** NaN of no frames. */
  get shareWithAny(): number {
    return this.#framesWithAny / this.#frames;
  }

  checks(name: string, ranges: CountRanges | undefined): readonly Check[] {
    return named(name, ranges, { mean: this.#sum / this.#frames, min: this.#min, max: this.#max });
  }
}

const isIn = (interval: Interval | undefined, value: number): boolean =>
  interval === undefined || (value >= interval[0] && value <= interval[1]);

const one = (name: string, expected: Range | undefined, found: number | undefined): readonly Check[] =>
  expected === undefined ? [] : [{ name, expected, found }];

const named = <Key extends string>(
  group: string,
  ranges: Readonly<Partial<Record<Key, Range>>> | undefined,
  found: Readonly<Record<Key, number>>,
): readonly Check[] =>
  Object.entries(ranges ?? {}).map(([key, expected]) => ({
    name: `${group}.${key}`,
    expected: expected as Range,
    found: found[key as Key],
  }));
