import type { NetworkEngine } from './network-engine.js';
import type { ModuleName } from './manifest.js';
import type { Arithmetic, MachinePeaks } from './native.js';
import type { EngineOutput } from './types.js';

/** One step of the plan over several frames. */
export interface StepProfile {
  readonly name: string;
  readonly op: string;
  readonly module: ModuleName;
  /** What its multiply-adds are of. */
  readonly arithmetic: Arithmetic;
  /** Of the first output, `[batch, channels, height, width]`. */
  readonly shape: readonly number[];
  readonly milliseconds: number;
  /** Multiply-adds, 10⁹ a second; undefined for a step without. */
  readonly gigaMacsPerSecond: number | undefined;
  /** Of the peak of its kind of arithmetic on all threads; undefined where that isn't measured. */
  readonly peakPercent: number | undefined;
  /** Read and written between steps; constants not counted. */
  readonly bytes: number;
}

/** No peak of int8 arithmetic is measured. */
const peakOf = (arithmetic: Arithmetic, peaks: MachinePeaks): number | undefined => {
  if (arithmetic === 'int8' || arithmetic === 'binary_weight_int8_input') return undefined;
  return arithmetic === 'binary' ? peaks.binary : peaks.real;
};

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
};

/** Median time of each step of frames with all cameras, with its rate and how that compares with the machine's peak. */
export function profileSteps(
  engine: NetworkEngine,
  frames: readonly EngineOutput[],
  peaks: MachinePeaks,
): StepProfile[] {
  const { cameras } = engine.manifest.input;
  return engine.steps.map((step) => {
    const milliseconds = median(
      frames.flatMap(({ operations }) =>
        operations.filter(({ name, op }) => name === step.name && op === step.op).map((o) => o.milliseconds),
      ),
    );
    const [batch, ...sizes] = step.outputShape;
    const hasMacs = step.arithmetic !== 'none' && step.macs > 0;
    const peak = peakOf(step.arithmetic, peaks);
    const rate = hasMacs ? (step.macs * (batch || cameras)) / milliseconds / 1e6 : undefined;
    return {
      name: step.name,
      op: step.op,
      module: step.module,
      arithmetic: step.arithmetic,
      shape: [batch || cameras, ...sizes],
      milliseconds,
      gigaMacsPerSecond: rate,
      peakPercent:
        rate === undefined || peak === undefined ? undefined : (100 * rate) / (peak * engine.threads),
      bytes: step.bytes,
    };
  });
}

/** One frame as a Chrome trace (chrome://tracing, Perfetto): a slice for each step, in microseconds from the frame's start. */
export function chromeTrace(name: string, frame: EngineOutput): object {
  let microseconds = 0;
  const traceEvents = frame.operations.map(({ name: step, op, module, milliseconds }) => {
    const event = { ph: 'X', pid: 1, tid: 1, cat: module, name: step, args: { op } };
    const slice = { ...event, ts: microseconds, dur: 1000 * milliseconds };
    microseconds += 1000 * milliseconds;
    return slice;
  });
  return {
    displayTimeUnit: 'ms',
    traceEvents: [{ ph: 'M', pid: 1, name: 'process_name', args: { name } }, ...traceEvents],
  };
}
