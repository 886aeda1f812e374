import type { BenchmarkResult } from './run.js';
import type { FrameResult } from './frame-benchmark.js';
import { barsOf, type Bars, frameBarsOf, PEAK_BAR, SPEEDUP_BAR } from './bars.js';
import { markdownTable, milliseconds, ratio } from './report.js';

/** A ratio, and behind it how far it is from its bar: `11.2× of 20`, or `21.3× ✓`. */
function against(value: number | null, bar: number | undefined): string {
  if (value === null || bar === undefined) return ratio(value);
  return value >= bar ? `${ratio(value)} ✓` : `${ratio(value)} of ${bar}`;
}

/** What a peer was kept from, behind its name. */
export const without = (hidden: readonly string[]): string =>
  hidden.length === 0 ? '' : ` without ${hidden.join(', ')}`;

export function layerTable({ layers, isa }: BenchmarkResult): string {
  return markdownTable(
    ['layer', 'ours', 'FP32', '×', 'u8', '×', '% of peak'],
    layers.map((layer) => {
      const bars: Bars | undefined = barsOf(layer.name, isa);
      return [
        layer.name,
        milliseconds(layer.ours_ms),
        milliseconds(layer.ort_fp32_ms),
        against(layer.ratio_fp32, bars?.fp32),
        milliseconds(layer.ort_u8_ms),
        against(layer.ratio_u8, bars?.u8),
        layer.peak_percent?.toFixed(0) ?? '–',
      ];
    }),
  );
}

export function frameTable(frame: FrameResult, { isa }: Pick<BenchmarkResult, 'isa'>): string {
  const bars = frameBarsOf(isa);
  return markdownTable(
    ['frame', 'ours', 'FP32 twin', '×', 'u8 twin', '×', 'ours, everything', 'MiB'],
    [
      [
        `${frame.model}, ${frame.cameras} cameras`,
        milliseconds(frame.ours_ms),
        milliseconds(frame.ort_fp32_ms),
        against(frame.ratio_fp32, bars.fp32),
        milliseconds(frame.ort_u8_ms),
        against(frame.ratio_u8, bars.u8),
        milliseconds(frame.whole_ms),
        frame.rss_mb.toFixed(0),
      ],
    ],
  );
}

export function moduleTable({ modules }: FrameResult): string {
  return markdownTable(
    ['module', 'ms'],
    Object.entries(modules).map(([name, time]) => [name, milliseconds(time)]),
  );
}

export function scalingTable({ scaling }: BenchmarkResult): string {
  return markdownTable(
    ['threads', 'whole frame', 'speed-up', 'what the cores allow'],
    scaling.map(({ threads, ms, speedup, limit }) => [
      String(threads),
      milliseconds(ms),
      threads === 1 ? '1' : against(speedup, threads === 2 ? SPEEDUP_BAR : undefined),
      `${limit.toFixed(2)}×`,
    ]),
  );
}

export function growthTable({ growth }: BenchmarkResult): string {
  return markdownTable(
    ['what grows', 'ms'],
    growth.map((row) => {
      if ('cameras' in row) return [`whole frame, ${row.cameras} cameras`, milliseconds(row.ms)];
      if ('grid' in row) return [`3×3 W1A1 64→64 @ ${row.grid}²`, milliseconds(row.ms)];
      return [`3×3 W1A1 ${row.channels}→${row.channels} @ 50²`, milliseconds(row.ms)];
    }),
  );
}

/** The bars that a run has not reached, each as a line of text. */
export function missedBars(result: BenchmarkResult): string[] {
  const missed: string[] = [];
  const check = (what: string, value: number | null | undefined, bar: number | undefined): void => {
    if (value === null || value === undefined || bar === undefined || value >= bar) return;
    missed.push(`${what}: ${value.toFixed(1)} of ${bar}`);
  };
  for (const { name, ratio_fp32, ratio_u8, peak_percent } of result.layers) {
    const bars = barsOf(name, result.isa);
    check(`${name}, × FP32`, ratio_fp32, bars?.fp32);
    check(`${name}, × u8`, ratio_u8, bars?.u8);
    if (name === PEAK_BAR.layer) check(`${name}, % of peak`, peak_percent, PEAK_BAR.percent);
  }
  if (result.threads === 2) {
    const bars = frameBarsOf(result.isa);
    check('whole frame, × FP32 twin', result.frame?.ratio_fp32, bars.fp32);
    check('whole frame, × u8 twin', result.frame?.ratio_u8, bars.u8);
  }
  check('two threads over one', result.scaling.find(({ threads }) => threads === 2)?.speedup, SPEEDUP_BAR);
  return missed;
}
